/* When a deferred mail is tried again: by who has to do what before another try can end better. */
#include "stages.h"

enum smtp_blame
retry_classify(const char *reply)
{
	struct smtp_verdict v = smtp_judge(reply, true);

	/* Refused for good, and deferred all the same: said of our address, before a recipient was named. */
	return v.outcome == OUTCOME_FAILED ? BLAME_OURS : v.blame;
}

int64_t
retry_wait_s(enum smtp_blame blame, uint32_t attempts, int64_t reader)
{
	enum { NTRIES = 5 };
	/* Minutes before the second, third ... try; the last one stands for all that follow. */
	static const uint8_t minutes[][NTRIES] = {
		[BLAME_THEIRS] = { 5, 10, 20, 40, 67 },
		[BLAME_GREYLIST] = { 6, 12, 24, 48, 67 },
		[BLAME_RATE] = { 20, 40, 67, 67, 67 },
		[BLAME_READER] = { 40, 67, 67, 67, 67 },
		[BLAME_OURS] = { 15, 15, 15, 15, 15 },
	};
	int64_t wait_s = minutes[blame][attempts < NTRIES ? attempts : NTRIES - 1] * 60;

	/* Up to a tenth earlier: the mails of one bad moment must not all come back at another. */
	return wait_s - wait_s * (reader % 11) / 100;
}
