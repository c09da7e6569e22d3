# digest: build, test and install. Targets: all check check-full bench fuzz lint demo deps install clean.
# CFLAGS and LDFLAGS belong to you; what the project needs is added to them.
#   make SAN=1 check       under the address and undefined-behaviour sanitizers
#   make CC=clang          another compiler; builds go to a folder of their own

VERSION = 0.1.0
PREFIX = /usr/local
SYSCONFDIR = /etc
CFLAGS ?= -O2 -g
CC = gcc

ifdef SAN
BUILD = build/san-$(CC)
EXTRA = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
else
BUILD = build/$(CC)
EXTRA = -D_FORTIFY_SOURCE=2
endif

# libetpan's own pkg-config file switches PIE off, so the tests that use it link with plain -letpan.
PACKAGES = libcurl sqlite3 jansson libutf8proc libidn2 libsodium
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES))

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
HARDEN = -fPIE -fstack-protector-strong
CPPFLAGS_ALL = -D_GNU_SOURCE -DDIGEST_VERSION='"$(VERSION)"' -DDIGEST_DATADIR='"$(PREFIX)/share/digest"' \
	-Iinclude -Isrc -include src/base/banned.h $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c17 $(WARN) $(HARDEN) $(EXTRA) -MMD -MP $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(EXTRA) $(LDFLAGS)
LIBS = $(PKG_LIBS) -lm

SRC := $(sort $(wildcard src/*/*.c))
OBJ := $(SRC:%.c=$(BUILD)/%.o)
LIB_OBJ := $(filter-out $(BUILD)/src/cli/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))

.PHONY: all check check-unit clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/digest

$(BUILD)/digest: $(BUILD)/src/cli/main.o $(BUILD)/libdigest.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/libdigest.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# .incbin is not seen by -MMD.
$(BUILD)/src/render/builtin.o: $(wildcard templates/*)

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libdigest.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -letpan $(LIBS)

check-unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

check: check-unit

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(patsubst %,$(BUILD)/tests/unit/%.d,$(notdir $(UNIT)))
