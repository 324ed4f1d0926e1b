/*
 * A FHIR server for tests: HAPI's JPA server on H2 in memory, one process, loopback only
 *
 * Usage: FhirServer URL_FILE STOP_FILE [R4|R5]
 *
 * Once GET {base}/metadata answers 200 the base URL is in URL_FILE, written whole by a rename. The server ends,
 * with everything it stored, when STOP_FILE exists or on SIGTERM; both give exit code 0. A free port is taken
 * unless -Dinterop.port says otherwise.
 *
 * Settings stay what HAPI ships, so that tests meet what sites meet, but for these: subscriptions are on
 * (rest-hook and websocket), and changes are looked for every 200 ms instead of 5000 (-Dinterop.poll.ms); references
 * to other servers are accepted; a resource others point at can be deleted; JSON is the default encoding.
 */
package interop;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.MemoryBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.config.WebsocketDispatcherConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.jpa.topic.SubscriptionTopicConfig;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.server.config.JettyWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.dstu2.model.Subscription.SubscriptionChannelType;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;

public final class FhirServer {
    private static final String BASE_PATH = "/fhir";

    private FhirServer() {}

    public static void main(String[] args) throws Exception {
        if (args.length < 2 || args.length > 3) {
            System.err.println("usage: FhirServer URL_FILE STOP_FILE [R4|R5]");
            System.exit(2);
        }
        Path urlFile = Path.of(args[0]).toAbsolutePath();
        Path stopFile = Path.of(args[1]).toAbsolutePath();
        boolean r5 = args.length == 3 && args[2].equals("R5");

        try {
            Running running = start(r5);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                running.stop();
                Runtime.getRuntime().halt(0);
            }));
            awaitMetadata(running.base());
            publish(urlFile, running.base());
            while (!Files.exists(stopFile)) {
                Thread.sleep(100);
            }
            System.exit(0);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private record Running(Server jetty, AnnotationConfigWebApplicationContext beans, String base) {
        void stop() {
            try {
                jetty.stop();
            } catch (Exception e) {
                System.err.println("jetty did not stop: " + e);
            }
            beans.close();
        }
    }

    private static Running start(boolean r5) throws Exception {
        Server jetty = new Server();
        ServerConnector connector = new ServerConnector(jetty);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.getInteger("interop.port", 0));
        jetty.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler("/");
        JettyWebSocketServletContainerInitializer.configure(handler, null);
        jetty.setHandler(handler);

        AnnotationConfigWebApplicationContext beans = new AnnotationConfigWebApplicationContext();
        beans.setServletContext(handler.getServletContext());
        beans.register(r5 ? JpaR5Config.class : JpaR4Config.class, Beans.class);
        beans.refresh();

        handler.addServlet(new ServletHolder(beans.getBean(RestfulServer.class)), BASE_PATH + "/*");
        handler.addServlet(new ServletHolder(new DispatcherServlet(beans)), "/websocket");
        jetty.start();
        return new Running(jetty, beans, "http://127.0.0.1:" + connector.getLocalPort() + BASE_PATH);
    }

    private static void awaitMetadata(String base) throws IOException, InterruptedException {
        HttpRequest ask = HttpRequest.newBuilder(URI.create(base + "/metadata"))
                .header("Accept", "application/fhir+json")
                .build();
        HttpResponse<String> got = HttpClient.newHttpClient().send(ask, HttpResponse.BodyHandlers.ofString());
        if (got.statusCode() != 200) {
            throw new IOException("GET " + ask.uri() + " answered " + got.statusCode());
        }
    }

    private static void publish(Path file, String url) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(part, url + "\n");
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** What HAPI's own configuration classes leave to the application. */
    @Configuration
    @Import({
        HapiJpaConfig.class,
        ThreadPoolFactoryConfig.class,
        JpaBatch2Config.class,
        Batch2JobsConfig.class,
        SubscriptionSubmitterConfig.class,
        SubscriptionProcessorConfig.class,
        SubscriptionChannelConfig.class,
        SubscriptionTopicConfig.class,
        WebsocketDispatcherConfig.class
    })
    static class Beans {
        @Bean
        JpaStorageSettings storageSettings() {
            JpaStorageSettings s = new JpaStorageSettings();
            s.setAllowExternalReferences(true);
            s.setEnforceReferentialIntegrityOnDelete(false);
            s.setHibernateSearchIndexSearchParams(false);
            return s;
        }

        @Bean
        SubscriptionSettings subscriptionSettings() {
            SubscriptionSettings s = new SubscriptionSettings();
            s.addSupportedSubscriptionType(SubscriptionChannelType.RESTHOOK);
            s.addSupportedSubscriptionType(SubscriptionChannelType.WEBSOCKET);
            /* Off as shipped. When on, a Subscription's own change is looked at before it is committed, so that one
               deleted or switched off goes on being served until the next start. */
            s.setSubscriptionChangeQueuedImmediately(Boolean.getBoolean("interop.immediate"));
            s.setSubscriptionIntervalInMs(Long.getLong("interop.poll.ms", 200));
            return s;
        }

        @Bean
        PartitionSettings partitionSettings() {
            return new PartitionSettings();
        }

        @Bean
        DataSource dataSource() {
            BasicDataSource pool = new BasicDataSource();
            pool.setUrl("jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1");
            pool.setUsername("sa");
            pool.setMaxTotal(20);
            return pool;
        }

        @Primary
        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory(
                DataSource pool, ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings) {
            LocalContainerEntityManagerFactoryBean f =
                    HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
            f.setPersistenceUnitName("fhir");
            f.setDataSource(pool);
            f.setJpaPropertyMap(Map.of(
                    "hibernate.dialect", HapiFhirH2Dialect.class.getName(),
                    "hibernate.hbm2ddl.auto", "create",
                    "hibernate.jdbc.batch_size", "20",
                    "hibernate.search.enabled", "false"));
            return f;
        }

        @Primary
        @Bean
        JpaTransactionManager transactionManager(EntityManagerFactory f) {
            return new JpaTransactionManager(f);
        }

        @Bean
        IBinaryStorageSvc binaryStorage() {
            return new MemoryBinaryStorageSvcImpl();
        }

        @Bean
        IEmailSender noEmail() {
            return details -> {};
        }

        @Bean
        RestfulServer restfulServer(
                FhirContext fhir,
                ResourceProviderFactory resources,
                IJpaSystemProvider system,
                IFhirSystemDao<?, ?> dao,
                JpaStorageSettings settings,
                ISearchParamRegistry searchParams,
                IValidationSupport validation,
                DatabaseBackedPagingProvider paging) {
            RestfulServer s = new RestfulServer(fhir);
            s.registerProviders(resources.createProviders());
            s.registerProvider(system);
            s.setServerConformanceProvider(
                    new JpaCapabilityStatementProvider(s, dao, settings, searchParams, validation));
            s.setPagingProvider(paging);
            s.setDefaultResponseEncoding(EncodingEnum.JSON);
            return s;
        }
    }
}
