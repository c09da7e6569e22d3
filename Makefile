# digest: build, test and install.
#   make                   the program, build/gcc/digest
#   make check             unit and black-box tests; SAN=1 under sanitizers
#   make lint              format, include directions, analysers, manuals
#   make CC=clang          another compiler; its build has a folder of its own
#   make WERROR=1          warnings are errors
# CFLAGS and LDFLAGS belong to you; what the project needs is added to them.

VERSION = 0.1.0
PREFIX = /usr/local
SYSCONFDIR = /etc
MANDIR = $(PREFIX)/share/man
DATADIR = $(PREFIX)/share/digest
DOCDIR = $(PREFIX)/share/doc/digest
CC = gcc
CFLAGS ?= -O2 -g
FUZZTIME = 10

ifdef SAN
BUILD = build/san-$(CC)
MODE = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
else
BUILD = build/$(CC)
MODE = $(if $(filter -O%,$(filter-out -O0,$(CFLAGS))),-D_FORTIFY_SOURCE=2)
endif

# libetpan's own pkg-config file switches PIE off, so the tests that use it link with plain -letpan.
PACKAGES = libcurl sqlite3 jansson libutf8proc libidn2 libsodium
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES))

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	$(if $(WERROR),-Werror)
CPPFLAGS_ALL = -D_GNU_SOURCE -DDIGEST_VERSION='"$(VERSION)"' -Iinclude -Isrc -include src/base/banned.h \
	$(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c17 $(WARN) -fPIE -fstack-protector-strong $(MODE) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,--as-needed $(MODE) $(LDFLAGS)
LIBS = $(PKG_LIBS) -lm

SRC := $(sort $(wildcard src/*/*.c))
OBJ := $(SRC:%.c=$(BUILD)/%.o)
LIB_OBJ := $(filter-out $(BUILD)/src/cli/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
MAN := $(sort $(wildcard man/*.[157]))

.PHONY: all check check-unit check-e2e lint fuzz demo deps install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/digest

$(BUILD)/digest: $(BUILD)/src/cli/main.o $(BUILD)/libdigest.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# Made anew each time: two folders may have a file of the same name, which ar would take for one member.
$(BUILD)/libdigest.a: $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The built-in templates are part of this object.
$(BUILD)/src/render/builtin.o: $(wildcard templates/*)

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -letpan $(LIBS)

check: check-unit check-e2e

check-unit: $(UNIT)
	@sh tests/unit/run.sh $(UNIT)

check-e2e: $(BUILD)/digest
	@DIGEST=$(CURDIR)/$(BUILD)/digest prove -j 2 tests/e2e

lint: all $(UNIT)
	@sh tests/lint/run.sh $(BUILD)

# Each target for FUZZTIME seconds, from its corpus in the tree where it has one.
fuzz: $(FUZZ:%=build/fuzz/%)
	@for t in $(FUZZ); do \
		mkdir -p build/fuzz/corpus/$$t; \
		echo "$$t"; \
		build/fuzz/$$t -max_total_time=$(FUZZTIME) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$t \
			$(wildcard tests/fuzz/corpus/$$t) || exit 1; \
	done

build/fuzz/%: tests/fuzz/%.c $(LIB_OBJ:$(BUILD)/%=build/san-clang/%)
	@mkdir -p $(@D)
	clang $(CPPFLAGS_ALL) -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $^ $(LIBS)

build/san-clang/%.o: %.c
	@$(MAKE) --no-print-directory CC=clang SAN=1 $@

demo: all
	@sh etc/demo/show.sh $(BUILD)/digest

deps:
	@sh etc/setup deps

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(DATADIR)/templates $(DESTDIR)$(DOCDIR) \
		$(foreach s,1 5 7,$(DESTDIR)$(MANDIR)/man$(s))
	install -m 755 $(BUILD)/digest $(DESTDIR)$(PREFIX)/bin/digest
	install -m 644 templates/* $(DESTDIR)$(DATADIR)/templates
	install -m 644 README.md LICENSE etc/digest.conf.example etc/cron.d/digest etc/systemd/* \
		$(DESTDIR)$(DOCDIR)
	install -m 644 etc/sysusers.d/digest.conf $(DESTDIR)$(DOCDIR)/digest.sysusers
	for m in $(MAN); do install -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}; done

# Configuration, store and mail are yours and stay.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/digest $(MAN:man/%=$(DESTDIR)$(MANDIR)/man?/%)
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(UNIT:$(BUILD)/unit/%=$(BUILD)/tests/unit/%.d)
