/* A year of readers in many zones, run by run with a clock of the test's own: exactly one edition for each period, through
 * clock changes, downtime and changes of the configuration. What is expected is found without a line of the program: each
 * minute of the year as the C library shows it in the zone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	DAY_S = 86400,
	DAY_MIN = 1440,
	FIRST_DAY = 20454, /* 2026-01-01 */
	NDAYS = 365,
	BEFORE = 63, /* days that a monthly schedule looks back to from the first */
	NMINUTES = (BEFORE + NDAYS + 2) * DAY_MIN,
	MAX_DUES = BEFORE + NDAYS + 4,
	MAX_READERS = 64,
	START_UTC = FIRST_DAY * DAY_S + 4 * 3600, /* of the readers */
	EMPTY_EACH = 7,				  /* every so many editions are empty */
	EXPIRY_DAYS = 9,			  /* on which what waits expires */
	UNSENT_EACH = 11,			  /* and so many wait when the next is due */
};

/* ---- what the wall clock shows ---- */

/* By minutes from the first of BEFORE: the furthest wall time shown so far, and the one shown, both in minutes since 1970. */
struct wall {
	const char *zone;
	int32_t furthest[NMINUTES], shown[NMINUTES];
};

static int64_t
minute_utc(int32_t minute)
{
	return (int64_t)(FIRST_DAY - BEFORE) * DAY_S + (int64_t)minute * 60;
}

static int32_t
minute_of(int64_t utc)
{
	return (int32_t)((utc - minute_utc(0)) / 60);
}

static struct wall *
make_wall(const char *zone)
{
	struct wall *w = calloc(1, sizeof(*w));
	int32_t furthest = 0;

	assert_non_null(w);
	w->zone = zone;
	setenv("TZ", zone, 1);
	tzset();
	for (int32_t i = 0; i < NMINUTES; i++) {
		time_t t = (time_t)minute_utc(i);
		struct tm tm;

		localtime_r(&t, &tm);
		w->shown[i] = (int32_t)(timegm(&tm) / 60);
		furthest = w->shown[i] > furthest ? w->shown[i] : furthest;
		w->furthest[i] = furthest;
	}
	setenv("TZ", "UTC", 1);
	tzset();
	return w;
}

static int32_t
day_at(const struct wall *w, int64_t utc)
{
	return w->shown[minute_of(utc)] / DAY_MIN;
}

/* The first minute that shows this wall time or a later one. */
static int64_t
first_utc(const struct wall *w, int32_t wanted)
{
	int32_t low = 0, high = NMINUTES - 1;

	while (low < high) {
		int32_t mid = (low + high) / 2;

		if (w->furthest[mid] >= wanted)
			high = mid;
		else
			low = mid + 1;
	}
	return minute_utc(low);
}

/* ---- schedules, written by days and minutes ---- */

struct plan {
	const char *when;
	const char *weekdays; /* as digits, 0 = Sunday; "" = none */
	int month_day;	      /* 0 = none */
	int minute;	      /* of the day; -1 = each run */
};

static const struct plan plans[] = {
	{ "daily 07:30", "0123456", 0, 450 },
	{ "daily 02:15", "0123456", 0, 135 },
	{ "daily", "0123456", 0, 0 },
	{ "daily 00:15", "0123456", 0, 15 },
	{ "weekdays 23:45", "12345", 0, 1425 },
	{ "mon,thu 18:00", "14", 0, 1080 },
	{ "sun 02:30", "0", 0, 150 },
	{ "monthly 31 08:00", "", 31, 480 },
	{ "monthly 1", "", 1, 0 },
	{ "always", "", 0, -1 },
	{ "mon 08:00", "1", 0, 480 },
	{ "wed 12:00", "3", 0, 720 },
};

static const struct plan *
find_plan(const char *when)
{
	for (size_t i = 0; i < COUNT(plans); i++)
		if (strcmp(plans[i].when, when) == 0)
			return &plans[i];
	fail_msg("no plan %s", when);
	return NULL;
}

static bool
plan_has(const struct plan *p, int32_t day)
{
	time_t t = (time_t)day * DAY_S, next = t + DAY_S;
	struct tm tm, after;

	gmtime_r(&t, &tm);
	gmtime_r(&next, &after);
	if (p->month_day > 0)
		return tm.tm_mday == p->month_day ||
		    (after.tm_mday == 1 && tm.tm_mday < p->month_day);
	return p->weekdays[0] != '\0' && strchr(p->weekdays, '0' + tm.tm_wday) != NULL;
}

struct dues {
	int32_t days[MAX_DUES];
	int64_t utc[MAX_DUES];
	size_t n;
};

static void
list_dues(const struct wall *w, const struct plan *p, struct dues *out)
{
	out->n = 0;
	for (int32_t day = FIRST_DAY - BEFORE + 1; day < FIRST_DAY + NDAYS + 1; day++)
		if (plan_has(p, day)) {
			out->days[out->n] = day;
			out->utc[out->n++] = first_utc(w, day * DAY_MIN + p->minute);
		}
}

/* How many of them are due. */
static size_t
count_due(const struct dues *dues, int64_t now_utc)
{
	size_t low = 0, high = dues->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (dues->utc[mid] <= now_utc)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t
count_through(const struct dues *dues, int32_t day)
{
	size_t n = 0;

	while (n < dues->n && dues->days[n] <= day)
		n++;
	return n;
}

/* ---- readers as the test knows them ---- */

/* A change of one reader's block; strings NULL = stays. */
struct change {
	int32_t day; /* from its beginning, UTC, on; of the year, 0 = 1 January */
	const char *zone, *when;
	int32_t pause_days; /* paused so long from then on; -1 = the pause is lifted, 0 = stays */
	const char *filter_when; /* "" = no filter has one */
};

struct model {
	const char *address;
	const char *zone, *when, *filter_when;
	const struct change *changes;
	size_t nchanges;

	int64_t id;
	const struct wall *wall;
	const struct plan *plan;
	struct dues dues, filter_dues;
	struct store_reader *reader;
	struct arena arena; /* of reader */

	int32_t paused_until;
	int32_t last;	      /* newest day that needs no edition any more, 0 = none */
	int64_t last_utc;     /* when the last edition went out */
	int32_t last_section; /* of the filter's days */
	int32_t unsent;	      /* first day of the last edition, when that never left; 0 = it left */
	bool waits, expired;  /* that edition */
	uint8_t
	    covered[MAX_DUES]; /* of each day of the schedule: in how many editions that went out */
	size_t neditions;
};

struct world {
	struct run run;
	char dir[64], path[96];
	struct wall *walls[16];
	size_t nwalls;
	struct model models[MAX_READERS];
	size_t n;
	int64_t now_utc, run_id;
	size_t nlabelled, nanew, nbetween; /* editions of these kinds: the year had some of each */
	struct error err;
};

#define must(w, call)                                                               \
	do {                                                                        \
		if ((call) == -1)                                                   \
			fail_msg("line %d: %s: %s", __LINE__, #call, (w)->err.msg); \
	} while (0)

static const struct wall *
wall_of(struct world *w, const char *zone)
{
	for (size_t i = 0; i < w->nwalls; i++)
		if (strcmp(w->walls[i]->zone, zone) == 0)
			return w->walls[i];
	assert_true(w->nwalls < COUNT(w->walls));
	return w->walls[w->nwalls++] = make_wall(zone);
}

static void
load_reader(struct world *w, struct model *m)
{
	arena_reset(&m->arena);
	must(w, store_find_reader(w->run.store, m->address, &m->arena, &m->reader, &w->err));
	assert_non_null(m->reader);
	m->id = m->reader->sub.id;
}

/* The reader's block as it is now, into the store and into what is expected. */
static void
write_block(struct world *w, struct model *m)
{
	struct filter filters[] = {
		{ .name = "all", .match = "*", .when = "", .file = "" },
		{ .name = "week", .match = "*", .when = m->filter_when, .file = "" },
	};
	struct subscriber sub = { .address = m->address,
		.canonical = m->address,
		.name = "",
		.timezone = m->zone,
		.when = m->when,
		.language = "en",
		.was = "",
		.file = "",
		.limit = 10,
		.max_papers = 25,
		.origin = ORIGIN_COMMAND,
		.paused_until = m->paused_until,
		.filters = filters,
		.nfilters = m->filter_when[0] != '\0' ? 2 : 1 };

	must(w, store_begin(w->run.store, &w->err));
	must(w, store_put_reader(w->run.store, &sub, "", w->now_utc, &w->err));
	must(w, store_commit(w->run.store, false, &w->err));
	load_reader(w, m);
	m->wall = wall_of(w, m->zone);
	m->plan = find_plan(m->when);
	list_dues(m->wall, m->plan, &m->dues);
	if (m->filter_when[0] != '\0')
		list_dues(m->wall, find_plan(m->filter_when), &m->filter_dues);
}

static void
change_block(struct world *w, struct model *m)
{
	const struct change *c = m->changes;
	bool always = m->plan->minute == -1;

	m->zone = c->zone != NULL ? c->zone : m->zone;
	m->when = c->when != NULL ? c->when : m->when;
	m->filter_when = c->filter_when != NULL ? c->filter_when : m->filter_when;
	if (c->pause_days > 0)
		m->paused_until = FIRST_DAY + c->day + c->pause_days;
	else if (c->pause_days < 0)
		m->paused_until = 0;
	m->changes++;
	m->nchanges--;
	write_block(w, m);
	/* Who had a digest with each run needs none for the days before the last of them. */
	if (always && m->plan->minute != -1 && m->last_utc > 0) {
		size_t n = count_due(&m->dues, m->last_utc);

		m->last = n > 0 ? m->dues.days[n - 1] : 0;
	}
}

/* ---- what is expected of one run ---- */

struct expected {
	bool due, own, section;
	int64_t period;
	int32_t day, since_day, section_day;
};

static int32_t
day_before(const struct dues *dues, int32_t day)
{
	size_t n = count_through(dues, day - 1);

	return n > 0 ? dues->days[n - 1] : 0;
}

static void
expect_label(const struct model *m, struct expected *e)
{
	int32_t last = m->last < m->paused_until ? m->paused_until - 1 : m->last;
	int32_t oldest = e->day - 31, previous = day_before(&m->dues, e->day);

	e->since_day = e->day;
	if (last > 0 && count_through(&m->dues, last) < count_through(&m->dues, e->day - 1))
		e->since_day = last + 1;
	if (m->unsent != 0 && m->unsent >= m->paused_until && m->unsent < e->since_day)
		e->since_day = m->unsent;
	oldest = previous < oldest ? previous : oldest;
	e->since_day = e->since_day < oldest ? oldest : e->since_day;
}

static void
expect(const struct world *w, const struct model *m, struct expected *e)
{
	int32_t today = day_at(m->wall, w->now_utc);
	int32_t last = m->last < m->paused_until ? m->paused_until - 1 : m->last;
	size_t n = count_due(&m->dues, w->now_utc);

	memset(e, 0, sizeof(*e));
	if (today < m->paused_until)
		return;
	if (m->plan->minute == -1) {
		*e = (struct expected){ true, true, false, PERIOD_ALWAYS + w->run_id, today, today,
			0 };
	} else if (n > 0 && m->dues.days[n - 1] > last) {
		e->day = m->dues.days[n - 1];
		/* A newcomer's first digest waits for the first hour when that comes yet today. */
		e->due = e->own = m->last != 0 || n == m->dues.n || m->dues.days[n] != today ||
		    m->dues.utc[n - 1] >= START_UTC;
		e->period = e->day;
		expect_label(m, e);
	} else if (m->expired && m->last >= m->paused_until && today > last &&
	    (n == m->dues.n || m->dues.days[n] != today)) {
		/* What expired is made anew, on another day. */
		e->due = e->own = true;
		e->period = e->day = today;
		expect_label(m, e);
	}
	if (m->filter_when[0] == '\0')
		return;
	n = count_due(&m->filter_dues, w->now_utc);
	e->section_day = n > 0 ? m->filter_dues.days[n - 1] : 0;
	e->section = e->section_day > m->last_section && e->section_day >= m->paused_until;
	/* On a day without a digest it makes one. */
	if (!e->due && e->section && today > last && !plan_has(m->plan, today)) {
		e->due = true;
		e->period = e->day = e->since_day = today;
	}
}

/* ---- one run ---- */

static void
check_section(struct world *w, struct model *m, const struct due *due, const struct expected *e,
    struct edition *edition, struct arena *a)
{
	struct due_slot *turns;
	struct edition_slot *slots;
	size_t n;

	must(w, due_load_slots(&w->run, m->reader, due, w->now_utc, a, &turns, &n, &w->err));
	if (n != e->section || (n == 1 && turns[0].day != e->section_day))
		fail_msg("%s at %lld: %zu sections, the first of day %d; expected day %d",
		    m->address, (long long)w->now_utc, n, n > 0 ? turns[0].day : 0,
		    e->section ? e->section_day : 0);
	slots = arena_array(a, n, sizeof(*slots));
	for (size_t i = 0; i < n; i++)
		slots[i] =
		    (struct edition_slot){ turns[i].from, { turns[i].from.slot, 1, turns[i].day } };
	edition->slots = slots;
	edition->nslots = n;
	if (n > 0)
		m->last_section = turns[0].day;
}

/* What waited becomes part of the edition that is due, as batch.c does it. */
static void
merge_waiting(struct world *w, struct model *m, const struct due *due, struct arena *a)
{
	struct edition *e;
	int found = store_find_unsettled(w->run.store, m->id, a, &e, &w->err);

	assert_int_not_equal(found, -1);
	assert_int_equal(found == 1, m->waits);
	if (found == 0)
		return;
	assert_int_equal(due_is_merged(due, e), due->own);
	if (due->own)
		must(w, store_merge_edition(w->run.store, e->period, m->id, &w->err));
}

static void
cover(struct model *m, int32_t since_day, int32_t day)
{
	for (size_t i = 0; i < m->dues.n; i++)
		if (m->dues.days[i] >= since_day && m->dues.days[i] <= day)
			m->covered[i]++;
}

static void
send_edition(struct world *w, struct model *m, const struct due *due, const struct expected *want)
{
	struct edition e = { .period = due->period,
		.reader = m->id,
		.cursor_to = 1,
		.composed_utc = w->now_utc,
		.day = due->day,
		.since_day = due->since_day,
		.note = "" };
	bool unsent = m->neditions % UNSENT_EACH == UNSENT_EACH - 1 && m->filter_when[0] == '\0';
	struct arena a;

	arena_init(&a, 1 << 24);
	e.state = !unsent && m->neditions % EMPTY_EACH == EMPTY_EACH - 1 ? EDITION_EMPTY : 0;
	must(w, store_begin(w->run.store, &w->err));
	merge_waiting(w, m, due, &a);
	check_section(w, m, due, want, &e, &a);
	must(w, store_lease_editions(w->run.store, &e, 1, w->now_utc, &w->err));
	if (e.state == EDITION_LEASED)
		must(w,
		    store_settle_edition(w->run.store, e.period, m->id,
			unsent ? EDITION_DEFERRED : EDITION_SENT, "250", w->now_utc, INT64_MAX,
			&w->err));
	must(w, store_commit(w->run.store, false, &w->err));
	arena_release(&a);
	if (!unsent && want->own)
		cover(m, m->neditions == 0 ? (int32_t)due->period : due->since_day,
		    (int32_t)due->period);
	m->unsent = unsent && m->plan->minute != -1 ? due->since_day : 0;
	m->waits = unsent;
	m->expired = false;
	if (m->plan->minute != -1 || !want->own)
		m->last = (int32_t)due->period;
	m->last_utc = unsent ? m->last_utc : w->now_utc;
	m->neditions++;
	load_reader(w, m);
}

/* What waits is given up. */
static void
expire_all(struct world *w)
{
	size_t n;

	must(w, store_begin(w->run.store, &w->err));
	must(w, store_expire_editions(w->run.store, w->now_utc, -1, NULL, NULL, &n, &w->err));
	must(w, store_commit(w->run.store, false, &w->err));
	for (size_t i = 0; i < w->n; i++) {
		struct model *m = &w->models[i];

		m->expired = m->expired || (m->waits && m->plan->minute != -1);
		m->waits = false;
		load_reader(w, m);
	}
}

static void
run_once(struct world *w)
{
	w->run_id++;
	if (w->now_utc / DAY_S % EXPIRY_DAYS == 0)
		expire_all(w);
	for (size_t i = 0; i < w->n; i++) {
		struct model *m = &w->models[i];
		struct expected want;
		struct due due = { 0 };
		int found;

		while (
		    m->nchanges > 0 && w->now_utc >= (int64_t)(FIRST_DAY + m->changes->day) * DAY_S)
			change_block(w, m);
		expect(w, m, &want);
		found = due_find(&w->run, m->reader, w->now_utc, w->run_id, &due, &w->err);
		if (found == -1)
			fail_msg("%s: %s", m->address, w->err.msg);
		if ((found == 1) != want.due ||
		    (want.due && (due.own != want.own || due.period != want.period)))
			fail_msg("%s at %lld: due %d, period %lld%s; expected %d, %lld%s",
			    m->address, (long long)w->now_utc, found, (long long)due.period,
			    due.own ? "" : " between", want.due, (long long)want.period,
			    want.own ? "" : " between");
		if (!want.due)
			continue;
		if (m->neditions > 0 && due.since_day != want.since_day)
			fail_msg("%s at %lld: since day %d; expected %d", m->address,
			    (long long)w->now_utc, due.since_day, want.since_day);
		w->nlabelled += want.since_day < want.day;
		w->nanew += want.own && m->expired;
		w->nbetween += !want.own;
		send_edition(w, m, &due, &want);
	}
}

/* ---- the year ---- */

static const char *const zones[] = {
	"Europe/London", "America/New_York", "Asia/Kolkata", /* half an hour off */
	"Australia/Lord_Howe", /* south of the equator, half an hour of summer time */
	"America/Santiago",    /* south, and the clocks change at midnight */
	"Asia/Beirut",	       /* at midnight, too */
	"Pacific/Kiritimati",  /* 14 hours ahead */
};

static const struct change moves[] = {
	{ 40, "Asia/Tokyo", NULL, 0, NULL },
	{ 90, "America/Los_Angeles", NULL, 0, NULL },
	{ 200, "Pacific/Kiritimati", NULL, 0, NULL },
	{ 260, "Pacific/Pago_Pago", NULL, 0, NULL },
};
static const struct change rhythms[] = {
	{ 20, NULL, "daily 00:15", 0, NULL },
	{ 50, NULL, "mon,thu 18:00", 0, NULL },
	{ 80, NULL, "always", 0, NULL },
	{ 82, NULL, "daily 07:30", 0, NULL },
	{ 120, NULL, "monthly 31 08:00", 0, NULL },
	{ 220, NULL, "always", 0, NULL },
	{ 221, NULL, "monthly 1", 0, NULL },
	{ 270, NULL, "weekdays 23:45", 0, NULL },
};
static const struct change holidays[] = {
	{ 30, NULL, NULL, 5, NULL }, { 100, NULL, NULL, 40, NULL },
	{ 150, NULL, NULL, 30, NULL }, /* into the downtime and out of it */
	{ 250, NULL, NULL, 60, NULL }, { 262, NULL, NULL, -1, NULL }, /* back early */
};
static const struct change sections[] = {
	{ 33, NULL, NULL, 0, "" },
	{ 60, NULL, NULL, 0, "wed 12:00" },
	{ 100, NULL, NULL, 10, NULL },
	{ 140, NULL, NULL, 0, "sun 02:30" },
	{ 240, NULL, NULL, 0, "monthly 1" },
};

static void
add_model(struct world *w, const char *zone, const char *when, const char *filter_when,
    const struct change *changes, size_t nchanges)
{
	static const char *const kinds[] = { "move", "rhythm", "pause", "section" };
	const struct change *const lists[] = { moves, rhythms, holidays, sections };
	struct model *m = &w->models[w->n++];
	const char *kind = "still";

	assert_true(w->n <= MAX_READERS);
	for (size_t i = 0; i < COUNT(lists); i++)
		kind = changes == lists[i] ? kinds[i] : kind;
	*m = (struct model){ .zone = zone,
		.when = when,
		.filter_when = filter_when,
		.changes = changes,
		.nchanges = nchanges };
	arena_init(&m->arena, 1 << 24);
	if (asprintf((char **)&m->address, "%s-%zu@example.org", kind, w->n) == -1)
		fail();
	write_block(w, m);
}

static void
add_still_models(struct world *w)
{
	for (size_t z = 0; z < COUNT(zones); z++)
		for (size_t p = 0; p < 6; p++)
			add_model(w, zones[z], plans[(p + z) % 9].when, "", NULL, 0);
}

static void
add_models(struct world *w)
{
	add_still_models(w);
	add_model(w, "Europe/London", "always", "", NULL, 0);
	add_model(w, "Europe/London", "daily 07:30", "", moves, COUNT(moves));
	add_model(w, "Asia/Beirut", "mon,thu 18:00", "", moves, COUNT(moves));
	add_model(w, "America/Santiago", "daily 07:30", "", rhythms, COUNT(rhythms));
	add_model(w, "Australia/Lord_Howe", "daily 02:15", "", holidays, COUNT(holidays));
	add_model(w, "America/New_York", "mon,thu 18:00", "", holidays, COUNT(holidays));
	add_model(w, "Europe/London", "daily 07:30", "mon 08:00", sections, COUNT(sections));
	add_model(w, "Asia/Kolkata", "mon 08:00", "monthly 1", sections, COUNT(sections));
}

static void
world_init(struct world *w, int64_t start_utc)
{
	memset(&w->run, 0, sizeof(w->run));
	w->n = w->nlabelled = w->nanew = w->nbetween = 0;
	w->now_utc = start_utc;
	snprintf(w->dir, sizeof(w->dir), "%s/digest-year-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/year.db", w->dir);
	snprintf(w->run.zone, sizeof(w->run.zone), "UTC");
	w->run.newest_day = INT32_MAX; /* sources go on */
	must(w, zones_new(&w->run.zones, &w->err));
	must(w, store_open(w->path, STORE_WRITE, NULL, &w->run.store, &w->err));
}

static void
world_release(struct world *w)
{
	static const char *const names[] = { "", "-wal", "-shm", ".write.lock", ".sender.lock" };
	char path[128];

	for (size_t i = 0; i < w->n; i++) {
		arena_release(&w->models[i].arena);
		free((char *)w->models[i].address);
	}
	store_close(w->run.store);
	zones_free(w->run.zones);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, names[i]);
		unlink(path);
	}
	rmdir(w->dir);
}

static const struct {
	const char *label;
	int every_min, at_min; /* of the day, of the first */
} cadences[] = {
	{ "each quarter", 15, 0 },
	{ "hourly", 60, 7 },
	{ "daily", DAY_MIN, 6 * 60 },
};

/* Days of the year without a run: 40 of them, and some around the end of summer time in Europe. */
static bool
is_down(int32_t minute)
{
	int32_t day = minute / DAY_MIN;

	return (day >= 165 && day < 205) || (day >= 295 && day < 299);
}

/* Each day of a schedule that never changed is in one edition, but for those of the downtime that are too long ago. */
static void
check_covered(const char *label, const struct model *m)
{
	size_t first = 0, last = m->dues.n - 1, nlost = 0;

	if (strncmp(m->address, "still", 5) != 0 || m->plan->minute == -1)
		return;
	while (first < last && m->covered[first] == 0)
		first++;
	while (last > first && m->covered[last] == 0)
		last--;
	for (size_t i = first; i <= last; i++) {
		int32_t day = m->dues.days[i] - FIRST_DAY;

		nlost += m->covered[i] == 0;
		if (m->covered[i] > 1 || (m->covered[i] == 0 && (day < 164 || day >= 175)))
			fail_msg("%s: %s has day %d of the year in %u editions", label, m->address,
			    day, m->covered[i]);
	}
	if (nlost > 11 || (m->plan->month_day == 0 && m->neditions < 40))
		fail_msg("%s: %s lost %zu days, and had %zu editions", label, m->address, nlost,
		    m->neditions);
}

static void
test_year(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	for (size_t c = 0; c < COUNT(cadences); c++) {
		const int64_t start_utc = (int64_t)FIRST_DAY * DAY_S;

		world_init(w, START_UTC);
		add_models(w);
		for (int32_t at = cadences[c].at_min; at < NDAYS * DAY_MIN;
		     at += cadences[c].every_min) {
			if (is_down(at) || at < 4 * 60)
				continue;
			w->now_utc = start_utc + (int64_t)at * 60;
			run_once(w);
		}
		for (size_t i = 0; i < w->n; i++)
			check_covered(cadences[c].label, &w->models[i]);
		if (w->nlabelled < 100 || w->nanew < 5 || w->nbetween < 5)
			fail_msg("%s: %zu labelled, %zu made anew, %zu between", cadences[c].label,
			    w->nlabelled, w->nanew, w->nbetween);
		world_release(w);
	}
	for (size_t i = 0; i < w->nwalls; i++)
		free(w->walls[i]);
	free(w);
}

/* Days of the year on which some clock changes. */
static const int32_t changes[] = { 66, 87, 94, 248, 276, 297, 304 };

/* F-22: each minute of those days. */
static void
test_minutes(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	world_init(w, START_UTC);
	add_still_models(w);
	w->now_utc = START_UTC;
	for (size_t c = 0; c < COUNT(changes); c++)
		for (int32_t at = (changes[c] - 1) * DAY_MIN; at < (changes[c] + 1) * DAY_MIN;
		     at++) {
			w->now_utc = (int64_t)FIRST_DAY * DAY_S + (int64_t)at * 60;
			run_once(w);
		}
	world_release(w);
	for (size_t i = 0; i < w->nwalls; i++)
		free(w->walls[i]);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_year),
		cmocka_unit_test(test_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
