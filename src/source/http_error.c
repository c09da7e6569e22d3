#include "http_job.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stddef.h>

const char http_guard_cure[] =
    " and was not asked; to allow it, list its range in fetch.allow-private";

size_t
http_body_bound(const struct http_job *job)
{
	size_t bound = job->answer->body.max_bytes;

	return bound < job->http->options->max_body ? bound : job->http->options->max_body;
}

static int
stop_error(const struct http_job *job, struct error *err)
{
	switch (job->stop) {
	case STOP_HEADER:
		return err_set(err, ERR_NET, "%s: more than %u bytes of header lines",
		    job->target.host, MAX_HTTP_HEADER);
	case STOP_BODY:
		return err_set(err, ERR_NET,
		    "%s: the answer is larger than %zu bytes (fetch.max-body)", job->target.host,
		    http_body_bound(job));
	case STOP_RATIO:
		return err_set(err, ERR_NET,
		    "%s: the answer grows more than %d times when unpacked", job->target.host,
		    HTTP_MAX_RATIO);
	case STOP_NOMEM:
	case STOP_NONE:
		break;
	}
	return err_nomem(err, job->target.host);
}

/* libcurl has one code for the whole time, the time to connect and the low speed. */
int
http_timeout_error(const struct http_job *job, int64_t elapsed_ms, struct error *err)
{
	int64_t elapsed_s = (elapsed_ms + 500) / 1000;

	if (job->header_bytes == 0)
		return err_set(err, ERR_NET, "%s: no answer within %" PRId64 " s", job->target.host,
		    elapsed_s);
	if (elapsed_s < job->timeout_ms / 1000)
		return err_set(err, ERR_NET, "%s: slower than %d bytes/s for %d s",
		    job->target.host, HTTP_MIN_BYTES_PER_S, HTTP_STALL_S);
	return err_set(err, ERR_NET, "%s: no whole answer within %" PRId64 " s, %zu bytes so far",
	    job->target.host, elapsed_s, job->answer->body.len);
}

/*
 * A header line that libcurl's own buffer of 100 KB does not hold never comes to on_header. Before 8.6 libcurl says that
 * memory is short, which it is not while an answer has begun and has no body.
 */
static bool
is_long_line(const struct http_job *job, CURLcode code)
{
#if LIBCURL_VERSION_NUM >= 0x080600
	(void)job;
	return code == CURLE_TOO_LARGE;
#else
	curl_off_t first_byte_us = 0;

	curl_easy_getinfo(job->curl, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	return code == CURLE_OUT_OF_MEMORY && first_byte_us > 0 && job->answer->body.len == 0;
#endif
}

/* The codes that have a plain sentence; the others keep libcurl's. */
static const struct {
	CURLcode code;
	const char *text;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "no such host, or the name service does not answer" },
	{ CURLE_COULDNT_RESOLVE_PROXY, "fetch.proxy: no such host" },
	{ CURLE_COULDNT_CONNECT, "cannot connect" },
	{ CURLE_GOT_NOTHING, "the connection was closed without an answer" },
	{ CURLE_PARTIAL_FILE, "the answer ends early" },
	{ CURLE_RECV_ERROR, "the connection broke while the answer came" },
	{ CURLE_SEND_ERROR, "the connection broke" },
	{ CURLE_PEER_FAILED_VERIFICATION, "the TLS certificate is not valid for this host" },
	{ CURLE_SSL_CONNECT_ERROR, "TLS could not be agreed on" },
	{ CURLE_BAD_CONTENT_ENCODING, "the answer cannot be unpacked" },
	{ CURLE_WEIRD_SERVER_REPLY, "this is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, "this is not HTTP" },
};

int
http_transfer_error(struct http_job *job, CURLcode code, int64_t elapsed_ms, struct error *err)
{
	if (job->stop == STOP_NONE && is_long_line(job, code))
		job->stop = STOP_HEADER;
	if (job->stop != STOP_NONE)
		return stop_error(job, err);
	if (code == CURLE_OUT_OF_MEMORY)
		return err_nomem(err, job->target.host);
	if (code == CURLE_FILESIZE_EXCEEDED) {
		job->stop = STOP_BODY;
		return stop_error(job, err);
	}
	if (job->refused[0] != '\0' && !job->reached)
		return err_set(
		    err, ERR_NET, "%s: %s%s", job->target.host, job->refused, http_guard_cure);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return http_timeout_error(job, elapsed_ms, err);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == code)
			return err_set(err, ERR_NET, "%s: %s", job->target.host, failures[i].text);
	return err_set(err, ERR_NET, "%s: %s", job->target.host, curl_easy_strerror(code));
}
