#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/world.h"

static uv_loop_t loop;
static struct ow_world *world;
static int order[8], n_order;

static void on_flag(void *arg)
{
    *(bool *)arg = true;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    world = ow_world_uv_new(&loop, NULL);
    n_order = 0;
    return 0;
}

static int tear_down(void **state)
{
    bool closed = false;

    (void)state;
    ow_world_uv_close(world, on_flag, &closed);
    assert_false(closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(closed);
    return uv_loop_close(&loop);
}

static void on_timer(void *arg)
{
    order[n_order++] = *(const int *)arg;
}

static void on_timer_again(void *arg)
{
    static const int next = 9;

    on_timer(arg);
    (void)world->ops->timer_start(world, 0, on_timer, (void *)&next);
}

static void timers_run_once_in_order_and_stopped_ones_never(void **state)
{
    static const int one = 1, two = 2, three = 3;
    struct ow_timer *stopped;
    int64_t begin = ow_now_mono(world);

    (void)state;
    (void)world->ops->timer_start(world, 30, on_timer, (void *)&two);
    (void)world->ops->timer_start(world, 0, on_timer_again, (void *)&one);
    stopped = world->ops->timer_start(world, 10, on_timer, (void *)&three);
    assert_int_equal(n_order, 0);
    world->ops->timer_stop(world, stopped);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_order, 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 9);
    assert_int_equal(order[2], 2);
    assert_true(ow_now_mono(world) - begin >= 30);
}

static void a_time_already_over_is_due_at_once(void **state)
{
    static const int one = 1;

    (void)state;
    (void)world->ops->timer_start(world, -5000, on_timer, (void *)&one);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_order, 1);
}

static void the_clock_is_of_this_century_and_chance_does_not_repeat(void **state)
{
    ow_time year_2020 = ow_civil_to_utc(&(struct ow_civil){ 2020, 1, 1, 0, 0, 0, 0 });

    (void)state;
    assert_true(ow_now_utc(world) > year_2020);
    assert_true(ow_random(world) != ow_random(world));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(timers_run_once_in_order_and_stopped_ones_never),
        T(a_time_already_over_is_due_at_once),
        T(the_clock_is_of_this_century_and_chance_does_not_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
