#include "digest/sink.h"
#include "digest/clock.h"

#include <poll.h>

enum { LOOK_MS = 250 }; /* so soon a waiting sink sees that it is to stop */

const char sink_halted[] = "stopped before it left";

int
sink_run(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	return sink->ops->run(sink, queue, err);
}

void
sink_free(struct sink *sink)
{
	if (sink != NULL)
		sink->ops->free(sink);
}

int
sink_wait_next(const struct sink *sink, const struct delivery_queue *queue, struct delivery *out,
    struct error *err)
{
	for (;;) {
		int more = queue->next(queue->arg, sink->lane, out, err);
		int64_t left_ms;

		if (more != QUEUE_LATER)
			return more;
		left_ms = out->again_ms - clock_monotonic_ms();
		if (left_ms > 0)
			poll(NULL, 0, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
	}
}
