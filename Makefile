# digest: build, test and install.
#   make                   the program, build/gcc/digest
#   make check             unit and black-box tests (check-unit, check-e2e); SAN=1 under sanitizers, TSAN=1 that of threads
#   make check DIGEST_FULL=1   the differential tests of the filter language at full size: half a minute more
#   make check-full        the same, under sanitizers too, 10,000 mails, and a minute of fuzzing for each target; some tests
#                          want what `sh etc/setup full` installs
#   make fuzz              each target for FUZZTIME seconds; FUZZ="json tz" only these
#   make bench             ratios to named peers, in one run; RECORD=1 adds them to tests/bench/RESULTS.md
#   make lint              format, include directions, analysers, manuals
#   make demo              three digests out of etc/demo in build/demo: no network, no mail
#   make golden            renew the digest that a test compares with, after a change of the look
#   make screenshots       the pictures of README.md, by Chromium
#   make deps              which packages are missing, and the command that brings them
#   make install           DESTDIR PREFIX MANDIR; the program, its manuals and what systemd and shells want; no configuration
#   make deb               a Debian package in build/deb, by dpkg-dev alone; MAINTAINER='Name <address>' goes into it
#   make CC=clang          another compiler; its build has a folder of its own
#   make WERROR=1          warnings are errors
# CPPFLAGS, CFLAGS and LDFLAGS belong to you; what the project needs is added to them.

VERSION = 0.1.0
PREFIX = /usr/local
MANDIR = $(PREFIX)/share/man
DATADIR = $(PREFIX)/share/digest
DOCDIR = $(PREFIX)/share/doc/digest
SYSTEMDDIR = $(PREFIX)/lib/systemd/system
CC = gcc
PKG_CONFIG = pkg-config
CFLAGS ?= -O2 -g
FUZZTIME = 10

# Each compiler and each way of building has a folder of its own, so that no two mix their objects.
ifdef FUZZING
WAY = fuzz-
MODE = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
else ifdef SAN
WAY = san-
MODE = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined -DDIGEST_SANITIZED
else ifdef TSAN
WAY = tsan-
MODE = -fsanitize=thread
else
# Only where it works: in optimised code. Compilers that define it by themselves would warn of a second time.
MODE = $(if $(filter -O%,$(filter-out -O0,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif
BUILD = build/$(WAY)$(notdir $(lastword $(filter-out -%,$(CC))))

# libetpan's own pkg-config file switches PIE off, so it is only asked whether the library is there.
PACKAGES = libcurl sqlite3 jansson expat libutf8proc libidn2 libsodium gumbo libxxhash
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --exists libetpan && $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	$(if $(WERROR),-Werror)
CPPFLAGS_ALL = -D_GNU_SOURCE -DDIGEST_VERSION='"$(VERSION)"' -Iinclude -Isrc -include src/base/banned.h \
	$(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c17 $(WARN) -fPIE -fstack-protector-strong -fstack-clash-protection $(MODE) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,--as-needed $(MODE) $(LDFLAGS)
LIBS = -letpan $(PKG_LIBS) -lm -pthread

SRC := $(sort $(wildcard src/*/*.c))
OBJ := $(SRC:%.c=$(BUILD)/%.o)
LIB_OBJ := $(filter-out $(BUILD)/src/cli/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
MAN := $(sort $(wildcard man/*.[157]))

.PHONY: all check check-unit check-e2e check-full lint fuzz fuzz-programs bench bench-programs demo golden \
	screenshots deps \
	install uninstall deb clean missing-libraries
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/digest

# Under another name first: a test or cron that starts it meanwhile finds the one before.
$(BUILD)/digest: $(BUILD)/src/cli/main.o $(BUILD)/libdigest.a
	$(CC) $(LDFLAGS_ALL) -o $@.new $^ $(LIBS)
	@mv -f $@.new $@

# Made anew each time: two folders may have a file of the same name, which ar would take for one member.
$(BUILD)/libdigest.a: $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The built-in templates are part of this object.
$(BUILD)/src/render/builtin.o: $(wildcard templates/*)

ifeq ($(strip $(PKG_LIBS)),)
$(OBJ): missing-libraries
missing-libraries:
	@$(PKG_CONFIG) --print-errors --exists $(PACKAGES) libetpan || true
	@echo "Libraries are missing. 'make deps' says which, 'sh etc/setup deps' installs them." >&2
	@exit 1
endif

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

check: check-unit check-e2e

check-unit: $(UNIT)
	@sh tests/unit/run.sh $(UNIT)

# After the unit tests when both are asked for, also under -j.
check-e2e: $(BUILD)/digest bench-programs | $(if $(filter check,$(MAKECMDGOALS)),check-unit)
	@DIGEST=$(CURDIR)/$(BUILD)/digest prove -j $$(($$(nproc) + 1)) tests/e2e

# With clang's build there, the bytes of both are compared.
check-full:
	$(MAKE) CC=clang all
	$(MAKE) check DIGEST_FULL=1
	$(MAKE) check SAN=1
	@DIGEST=$(CURDIR)/$(BUILD)/digest prove -v tests/e2e/full/*.sh
	$(MAKE) fuzz FUZZTIME=60

lint: all $(UNIT)
	@sh tests/lint/run.sh $(BUILD)

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)

fuzz:
	@$(MAKE) CC=clang FUZZING=1 FUZZ='$(FUZZ)' fuzz-programs
	@FUZZTIME=$(FUZZTIME) sh tests/fuzz/run.sh build/fuzz-clang/fuzz $(FUZZ)

# What the benchmarks and the kill tests run: without sanitizers whatever the rest is built with.
SINK := $(sort $(wildcard tests/bench/sink*.c))
BENCH := $(patsubst tests/bench/%.c,build/bench/%,$(filter-out %shim.c %/timed.c $(SINK),$(sort $(wildcard tests/bench/*.c))))

build/bench/%shim.so: tests/bench/%shim.c
	@mkdir -p $(@D)
	@gcc -std=c17 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $<

build/bench/sink: $(SINK) tests/bench/sink.h tests/bench/sum.h
	@mkdir -p $(@D)
	@gcc -std=c17 -D_GNU_SOURCE $(WARN) -O3 -g -o $@ $(SINK) $(shell $(PKG_CONFIG) --cflags --libs gnutls libxxhash)

build/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# The program with a watch on its accounting.
TIMED = begin end lease_editions rehash_edition intend_edition settle_edition

build/bench/digest-timed: $(BUILD)/src/cli/main.o $(BUILD)/tests/bench/timed.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) $(TIMED:%=-Wl,--wrap=store_%) -o $@ $^ $(LIBS)

# A reader of mails that shares nothing with the program.
MAIL_LINT := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/mail/*.c)))

build/bench/mail_lint: $(MAIL_LINT)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# A run over a mailbox that tells what becomes of each mail: beside the program, built as that is.
$(BUILD)/inbox: $(BUILD)/tests/mailbox/inbox.o $(BUILD)/libdigest.a
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

bench-programs: build/bench/killshim.so build/bench/mallocshim.so build/bench/sink build/bench/mail_lint $(BUILD)/inbox

bench: all bench-programs $(BENCH) build/bench/digest-timed
	@sh tests/bench/run.sh

demo: all
	@sh etc/demo/show.sh $(BUILD)/digest

golden: all
	@RENEW=1 DIGEST=$(CURDIR)/$(BUILD)/digest prove -q tests/e2e/43-golden.t

screenshots: all
	@python3 tests/screenshots.py $(BUILD)/digest etc/screenshots

deps:
	@sh etc/setup -n deps

# To copy from: what to do with these files stands at their heads.
EXAMPLES = README.md LICENSE etc/digest.conf.example etc/examples/pubmed.sh

# What shells complete with is made by the program itself, and every shell looks for it in a place of its own.
COMPLETIONS = bash:$(PREFIX)/share/bash-completion/completions/digest \
	zsh:$(PREFIX)/share/zsh/$(ZSHDIR)/_digest \
	fish:$(PREFIX)/share/fish/vendor_completions.d/digest.fish
ZSHDIR = site-functions

# Units name the program by its path.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(DATADIR)/templates $(DESTDIR)$(DOCDIR) $(DESTDIR)$(SYSTEMDDIR) \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
		$(foreach s,1 5 7,$(DESTDIR)$(MANDIR)/man$(s))
	install -m 755 $(BUILD)/digest $(DESTDIR)$(PREFIX)/bin/digest
	for m in $(MAN); do install -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.} || exit 1; done
	install -m 644 templates/* $(DESTDIR)$(DATADIR)/templates
	install -m 644 $(EXAMPLES) $(DESTDIR)$(DOCDIR)
	install -m 644 etc/cron.d/digest $(DESTDIR)$(DOCDIR)/digest.cron
	install -m 644 etc/systemd/digest.service etc/systemd/digest.timer $(DESTDIR)$(SYSTEMDDIR)
	sed -i 's|/usr/local/bin/digest|$(PREFIX)/bin/digest|' $(DESTDIR)$(SYSTEMDDIR)/digest.service
	for k in sysusers tmpfiles; do \
		install -m 644 etc/$$k.d/digest.conf $(DESTDIR)$(PREFIX)/lib/$$k.d/digest.conf || exit 1; done
	for c in $(COMPLETIONS); do \
		$(BUILD)/digest completion "$${c%%:*}" >$(BUILD)/completion && \
		install -D -m 644 $(BUILD)/completion "$(DESTDIR)$${c#*:}" || exit 1; done

# Configuration, store and mail are yours and stay.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/digest $(MAN:man/%=$(DESTDIR)$(MANDIR)/man?/%) \
		$(DESTDIR)$(SYSTEMDDIR)/digest.service $(DESTDIR)$(SYSTEMDDIR)/digest.timer \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/digest.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/digest.conf
	for c in $(COMPLETIONS); do rm -f "$(DESTDIR)$${c#*:}" || exit 1; done
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)

# From a copy of the sources, so that nothing is left in them; etc/debian/rules wants no debhelper.
DEB = build/deb/digest-$(VERSION)
MAINTAINER = $(shell sed -n 's/^Maintainer: //p' etc/debian/control)

deb:
	@command -v dpkg-buildpackage >/dev/null || { echo "dpkg-dev is missing: apt-get install dpkg-dev" >&2; exit 1; }
	rm -rf build/deb
	mkdir -p $(DEB)
	cp -R Makefile README.md LICENSE src include templates etc man $(DEB)
	mv $(DEB)/etc/debian $(DEB)/debian
	sed -i 's|^Maintainer: .*|Maintainer: $(MAINTAINER)|' $(DEB)/debian/control
	sed -i '1s|(.*)|($(VERSION))|; s|^ -- .*>|-- $(MAINTAINER)|; s|^-- | -- |' $(DEB)/debian/changelog
	cd $(DEB) && dpkg-buildpackage -us -uc -b -d

clean:
	rm -rf build

-include $(MAIL_LINT:.o=.d) $(BUILD)/tests/mailbox/inbox.d $(BENCH:build/bench/%=$(BUILD)/tests/bench/%.d) $(OBJ:.o=.d) $(UNIT:$(BUILD)/unit/%=$(BUILD)/tests/unit/%.d) $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%.d)
