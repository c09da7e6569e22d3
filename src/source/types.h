/* types.h - the functions behind the table of source types in source.c. */
#ifndef DIGEST_TYPES_H
#define DIGEST_TYPES_H

#include "digest/source.h"

/* What is known of a page; NULL = it was never read. */
const struct source_page *source_find_page(const struct source_progress *progress, const char *key);

/* What a type does by default where its functions need to know it too. */
enum { HUGGINGFACE_INTERVAL_S = 3600 };
#define HUGGINGFACE_BASE "https://huggingface.co"

int	huggingface_plan(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
int	huggingface_read(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);
int	huggingface_status(const struct source_request *request, long status, const char *bytes,
	    size_t len, struct error *err);

enum { ARXIV_INTERVAL_S = 3600 };

int	arxiv_plan(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
int	arxiv_read(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);
int	arxiv_status(const struct source_request *request, long status, const char *bytes, size_t len,
	    struct error *err);

int	arxiv_ask_paper(const struct config_source *source, const char *key, struct arena *a,
	    struct source_request *out, struct error *err);
bool	arxiv_brings(const struct config_source *source, const struct paper *p);

enum { FEED_INTERVAL_S = 3600 };

int	feed_plan(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
int	feed_read(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);
int	feed_status(const struct source_request *request, long status, const char *bytes, size_t len,
	    struct error *err);

int	files_plan(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
int	files_read(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);
int	files_status(const struct source_request *request, long status, const char *bytes, size_t len,
	    struct error *err);

int	command_plan(const struct config_source *source, const struct source_progress *progress,
	    int64_t now_utc, int32_t since_day, bool force, struct arena *a, struct source_request **out,
	    size_t *n, struct error *err);
int	command_read(const struct config_source *source, const struct source_request *request,
	    const struct source_answer *answer, int64_t now_utc, struct arena *a,
	    struct source_batch *out, struct error *err);
int	command_status(const struct source_request *request, long status, const char *bytes, size_t len,
	    struct error *err);

#endif
