/* How long mails will take by what the configuration allows each way out, and what a day's limits leave over. */
#include "run/courier.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600, SECOND_US = 1000000 };

/* "100,000" */
static void
format_count(size_t n, char out[32])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%zu", n), k = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[k++] = ',';
		out[k++] = digits[i];
	}
	out[k] = '\0';
}

/* "2 h 47 min", "12 min", "40 s" */
static void
format_time(int64_t s, char out[40])
{
	int64_t minutes = (s + MINUTE_S / 2) / MINUTE_S;

	if (s < 2 * MINUTE_S)
		snprintf(out, 40, "%lld s", (long long)s);
	else if (s < HOUR_S)
		snprintf(out, 40, "%lld min", (long long)minutes);
	else
		snprintf(out, 40, "%lld h %lld min", (long long)(minutes / MINUTE_S),
		    (long long)(minutes % MINUTE_S));
}

static void
write_text(const struct run *run, struct run_expectation *e)
{
	const struct config *cfg = run->cfg;
	char n[32], left[32], took[40];
	size_t len;

	format_count(e->seconds > 0 ? e->nslowest : e->nmails - e->nleft, n);
	format_count(e->nleft, left);
	format_time(e->seconds, took);
	len = (size_t)snprintf(e->text, sizeof(e->text), "%s", n);
	if (e->seconds > 0)
		len += (size_t)snprintf(e->text + len, sizeof(e->text) - len, " at %.32s = %s",
		    cfg->smtps[e->slowest].rate, took);
	if (e->seconds > 0 && cfg->nsmtps > 1)
		len += (size_t)snprintf(e->text + len, sizeof(e->text) - len,
		    " by %.64s, the slowest", cfg->smtps[e->slowest].name);
	if (e->nleft > 0)
		len += (size_t)snprintf(
		    e->text + len, sizeof(e->text) - len, "; daily-limit leaves %s over", left);
	if (e->seconds > cfg->delivery.deadline_s)
		snprintf(e->text + len, sizeof(e->text) - len, ", in runs of %lld min",
		    (long long)(cfg->delivery.deadline_s / MINUTE_S));
}

int
expect_find(struct run *run, const size_t *counts, bool from_now, struct run_expectation *out,
    struct error *err)
{
	const struct config *cfg = run->cfg;
	int64_t now_us = clock_now_ms(&run->clock) * 1000;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < cfg->nsmtps; i++) {
		size_t n = counts[i], left;
		struct limit limit;
		int64_t s;

		if (lane_load_limit(run, &cfg->smtps[i], from_now ? now_us : -1, &limit, err) == -1)
			return -1;
		left = limit_left(&limit, now_us);
		out->nmails += n;
		out->limited = out->limited || (n > 0 && limit_is_set(&limit));
		if (n > left) {
			out->nleft += n - left;
			n = left;
		}
		s = limit.gap_us * (int64_t)n / SECOND_US;
		if (s > out->seconds || out->nslowest == 0) {
			out->seconds = s;
			out->slowest = i;
			out->nslowest = n;
		}
	}
	out->limited = out->limited && (out->seconds > 0 || out->nleft > 0);
	if (out->limited)
		write_text(run, out);
	return 0;
}
