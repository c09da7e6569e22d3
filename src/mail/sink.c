#include "digest/sink.h"

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
