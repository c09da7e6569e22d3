/* When a deferred mail is tried again: by who has to do what before another try can end better. */
#include "stages.h"

#include <string.h>

static const struct {
	const char *code; /* first digits of the reply; "" = any */
	const char *
	    enhanced; /* RFC 3463; "4.2." = all that begin so, "" = the reply has none, NULL = any */
	enum retry_class class;
} rows[] = {
	/* The first row that fits. Refused for good, and deferred all the same: our address, a policy, no login. */
	{ "5", NULL, RETRY_OURS },
	{ "4", "4.1.7", RETRY_OURS }, /* our own address, or its domain */
	{ "4", "4.1.8", RETRY_OURS },
	{ "450", "4.2.0", RETRY_GREYLIST }, /* Postfix with postgrey */
	{ "4", "4.7.1", RETRY_GREYLIST },
	{ "450", "", RETRY_GREYLIST },
	{ "451", "", RETRY_GREYLIST },
	{ "4", "4.1.", RETRY_READER },
	{ "4", "4.2.", RETRY_READER }, /* the mailbox is full, or gets too much */
	{ "4", "4.4.5", RETRY_RATE },
	{ "4", "4.5.3", RETRY_RATE },
	{ "4", "4.7.", RETRY_RATE }, /* what large receivers say to who sends too fast */
	/* What is no reply at all, too: the link, a full disk. */
	{ "", NULL, RETRY_THEIRS },
};

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "4.7.1" in "451 4.7.1 come back"; "" = there is none. */
static void
read_enhanced(const char *reply, char out[12])
{
	size_t n;

	out[0] = '\0';
	if (strspn(reply, "0123456789") != 3 || reply[3] != ' ')
		return;
	n = strspn(reply + 4, "0123456789.");
	if (n < 5 || n >= 12 || reply[5] != '.')
		return;
	memcpy(out, reply + 4, n);
	out[n] = '\0';
}

static bool
fits(const char *enhanced, const char *wanted)
{
	size_t n;

	if (wanted == NULL)
		return true;
	n = strlen(wanted);
	return n > 0 && wanted[n - 1] == '.' ? has_prefix(enhanced, wanted)
					     : strcmp(enhanced, wanted) == 0;
}

enum retry_class
retry_classify(const char *reply)
{
	char enhanced[12];
	size_t i = 0;

	read_enhanced(reply, enhanced);
	/* Text that is no reply may begin with a digit, too. */
	if (strspn(reply, "0123456789") != 3)
		return RETRY_THEIRS;
	while (!has_prefix(reply, rows[i].code) || !fits(enhanced, rows[i].enhanced))
		i++;
	return rows[i].class;
}

int64_t
retry_wait_s(enum retry_class class, uint32_t attempts, int64_t reader)
{
	enum { NTRIES = 5 };
	/* Minutes before the second, third ... try; the last one stands for all that follow. */
	static const uint8_t minutes[][NTRIES] = {
		[RETRY_THEIRS] = { 5, 10, 20, 40, 67 },
		[RETRY_GREYLIST] = { 6, 12, 24, 48, 67 },
		[RETRY_RATE] = { 20, 40, 67, 67, 67 },
		[RETRY_READER] = { 40, 67, 67, 67, 67 },
		[RETRY_OURS] = { 15, 15, 15, 15, 15 },
	};
	int64_t wait_s = minutes[class][attempts < NTRIES ? attempts : NTRIES - 1] * 60;

	/* Up to a tenth earlier: the mails of one bad moment must not all come back at another. */
	return wait_s - wait_s * (reader % 11) / 100;
}
