/*
 * Client, JWT: the tests of client.test.mjs against a daemon that refuses calls without its token
 */
process.env.OPIWARD_CLIENT_JWT = '1';
await import('./client.test.mjs');
