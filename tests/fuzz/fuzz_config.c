/* fuzz_config.c - any bytes as digest.conf: read, handed out, shown. Not includes: they would read other files. */
#include <sys/mman.h>

#include "../unit/test_config.h"

static int
use(void *arg, const struct subscriber *s, bool good)
{
	*(size_t *)arg += strlen(s->address) + (good ? s->nfilters : 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *cfg;
	struct strbuf shown;
	char path[64];
	size_t sum = 0;
	int fd;

	if (memmem(data, size, "include", 7) != NULL || (fd = memfd_create("config", 0)) == -1)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	strbuf_init(&shown, 1 << 22);
	if (write(fd, data, size) == (ssize_t)size &&
	    config_load(path, &fake_checks, note, &shown, &cfg, NULL) == 0) {
		config_each_reader(cfg, use, &sum, NULL);
		config_add_effective(&shown, cfg);
		config_free(cfg);
	}
	strbuf_release(&shown);
	close(fd);
	return 0;
}
