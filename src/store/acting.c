#include "store/db.h"

#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <sodium.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Which of several copies of a store may send. One that comes from a backup or a snapshot knows nothing of the mail that left
 * after it was copied, and would send that again.
 *
 * Each sending run takes the next number, commits it to the disk, and only then writes it down outside the database, as a
 * witness: beside the store, which tells when the database alone was put back, and in the user's cache, which backups
 * leave out, so that it also tells when all of the store's folder was put back. A witness above the store's own number means
 * that more was sent from here than this store knows. Power loss is no such case: the number moves in durable commits
 * only, and always before its witness.
 * A copy that runs elsewhere leaves no witness here; but there the machine has another id. A snapshot that puts back a whole
 * machine leaves no trace at all: what it can repeat are the mails of delivery.max-age.
 *
 * The number is a fence as well. Every later transaction of the run looks whether it still stands, so that a process that was
 * suspended while somebody removed the lock file, and another run took over, neither sends nor settles anything more.
 */
enum {
	CLOCK_BACK_S = 24 * 3600, /* no change of zone or season is as long */
	MAX_WITNESS_BYTES = 256,
	MAX_PATH_BYTES = 4096,
};

static const char number_name[] = "charge", time_name[] = "charge-utc", machine_name[] = "machine";
static const char held_reply[] =
    "held by hand: the store was restored; a copy may have gone out since it was saved";

/* As the store knows it; 0 = never. */
struct charge {
	int64_t number, at_utc;
	int64_t machine; /* where it was taken last */
};

static int
get_number(struct store *store, const char *name, int64_t *out, struct error *err)
{
	*out = 0;
	return db_get_meta(store, name, out, err) == -1 ? -1 : 0;
}

static int
load_charge(struct store *store, struct charge *c, struct error *err)
{
	if (get_number(store, number_name, &c->number, err) == -1 ||
	    get_number(store, time_name, &c->at_utc, err) == -1)
		return -1;
	return get_number(store, machine_name, &c->machine, err);
}

int
acting_check_fence(struct store *store, struct error *err)
{
	int64_t number;

	if (store->charge == 0)
		return 0;
	if (get_number(store, number_name, &number, err) == -1)
		return -1;
	if (number == store->charge)
		return 0;
	return err_set(err, ERR_TEMP,
	    "%s: another run has taken over the sending; this one sends nothing more", store->path);
}

/* ---- witnesses ---- */

/* Beside the store; or, with a folder, one for each store that ever sent from here. */
static int
add_witness_path(
    struct strbuf *out, const struct store *store, const char *far_dir, struct error *err)
{
	if (far_dir == NULL)
		strbuf_addf(out, "%s.witness", store->path);
	else
		strbuf_addf(out, "%s/witness-%s", far_dir, store->instance);
	return strbuf_check(out, err);
}

/* 0 when there is none of this store. */
static int64_t
read_witness(const struct store *store, const char *far_dir)
{
	size_t len = strlen(store->instance);
	struct strbuf path, text;
	int64_t number;

	strbuf_init(&path, MAX_PATH_BYTES);
	strbuf_init(&text, MAX_WITNESS_BYTES);
	if (add_witness_path(&path, store, far_dir, NULL) == -1 ||
	    file_read(path.buf, &text, NULL) == -1 ||
	    strncmp(text.buf, store->instance, len) != 0 || text.buf[len] != ' ')
		number = 0;
	else
		number = strtoll(text.buf + len, NULL, 10);
	strbuf_release(&path);
	strbuf_release(&text);
	return number;
}

static int64_t
newest_witness(const struct store *store, const char *far_dir)
{
	int64_t here = read_witness(store, NULL);
	int64_t far = far_dir != NULL ? read_witness(store, far_dir) : 0;

	return here > far ? here : far;
}

static int
write_witness(const struct store *store, const char *far_dir, struct error *err)
{
	struct strbuf path;
	char text[MAX_WITNESS_BYTES];
	int n = snprintf(text, sizeof(text), "%s %" PRId64 "\n", store->instance, store->charge);
	int rc;

	strbuf_init(&path, MAX_PATH_BYTES);
	rc = add_witness_path(&path, store, far_dir, err);
	if (rc == 0)
		rc = file_write(path.buf, 0600, text, (size_t)n, err);
	strbuf_release(&path);
	return rc;
}

/* ---- taking charge ---- */

/* As a number, for systemd asks that the id itself does not get about; 0 = unknown. */
static int64_t
read_machine(void)
{
	unsigned char hash[crypto_generichash_BYTES];
	int64_t machine = 0;
	struct strbuf text;

	strbuf_init(&text, MAX_WITNESS_BYTES);
	if (file_read("/etc/machine-id", &text, NULL) == 0 && text.len > 1) {
		crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.buf, text.len,
		    (const unsigned char *)machine_name, sizeof(machine_name));
		memcpy(&machine, hash, sizeof(machine));
	}
	strbuf_release(&text);
	return machine;
}

static int
check_charge(const struct store *store, const struct charge *c, const char *far_dir,
    int64_t now_utc, struct error *err)
{
	int64_t witness = newest_witness(store, far_dir), machine = read_machine();
	char last[DATE_RFC3339_SIZE], now[DATE_RFC3339_SIZE];

	if (witness > c->number)
		return err_set(err, ERR_CONFIG,
		    "%s: is older than what was sent from here (run %" PRId64
		    ", it knows of %" PRId64 "), as a backup is; nothing is sent. To go on with "
		    "this one: digest restore --adopt",
		    store->path, witness, c->number);
	if (c->machine != 0 && machine != 0 && machine != c->machine)
		return err_set(err, ERR_CONFIG,
		    "%s: was used on another machine, which may still send; nothing is sent. To "
		    "send from here alone: digest restore --adopt",
		    store->path);
	if (c->at_utc == 0 || now_utc >= c->at_utc - CLOCK_BACK_S)
		return 0;
	date_format_rfc3339(c->at_utc, last);
	date_format_rfc3339(now_utc, now);
	return err_set(err, ERR_CONFIG,
	    "the clock says %s, but the last run was at %s; nothing is sent. Set the clock, or, if "
	    "it is right now: digest restore --adopt",
	    now, last);
}

static int
write_charge(struct store *store, const struct charge *c, const char *far_dir, struct error *err)
{
	if (db_set_meta(store, number_name, c->number, err) == -1 ||
	    db_set_meta(store, time_name, c->at_utc, err) == -1 ||
	    db_set_meta(store, machine_name, c->machine, err) == -1) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, true, err) == -1)
		return -1;
	store->charge = c->number;
	/* The far one is a help, no duty: there may be no place for it. */
	if (far_dir != NULL)
		write_witness(store, far_dir, NULL);
	return write_witness(store, NULL, err);
}

int
store_take_charge(
    struct store *store, const char *far_dir, int64_t now_utc, int64_t *last_utc, struct error *err)
{
	struct charge c;

	if (load_charge(store, &c, err) == -1 ||
	    check_charge(store, &c, far_dir, now_utc, err) == -1)
		return -1;
	*last_utc = c.at_utc;
	if (store->mode != STORE_WRITE)
		return 0;
	c.number++;
	c.at_utc = now_utc;
	c.machine = read_machine();
	if (store_begin(store, err) == -1)
		return -1;
	return write_charge(store, &c, far_dir, err);
}

/* What the copy calls unsettled may have been settled by the mail that left since. */
static int
hold_unsettled(struct store *store, int64_t now_utc, size_t *nheld, struct error *err)
{
	size_t nunknown;
	struct stmt q;

	if (store_sweep_editions(store, "hold", now_utc, &nunknown, nheld, err) == -1)
		return -1;
	db_start(&q, store, SQL_EDITION_HOLD_WAITING);
	db_bind_text(&q, held_reply);
	if (db_run(&q, err) == -1)
		return -1;
	*nheld += (size_t)db_changes(store);
	return 0;
}

/*
 * A reader who is said to have had the edition of next year would wait for that of the day after, and when that year comes its
 * days would be taken. The rest of the day goes by the editions that are known.
 */
static int
forget_future(struct store *store, int64_t now_utc, struct error *err)
{
	const int64_t tomorrow = now_utc / DAY_S + 1;

	if (db_run_ints(store, SQL_ADOPT_PICKS, DB_INTS(tomorrow, PERIOD_ALWAYS), err) == -1 ||
	    db_run_ints(store, SQL_ADOPT_EDITIONS, DB_INTS(tomorrow, PERIOD_ALWAYS), err) == -1 ||
	    db_run_ints(store, SQL_ADOPT_LAST, DB_INTS(tomorrow, PERIOD_ALWAYS), err) == -1)
		return -1;
	return db_run_ints(
	    store, SQL_ADOPT_CURSORS, DB_INTS(tomorrow, PERIOD_ALWAYS, now_utc), err);
}

int
store_adopt(
    struct store *store, const char *far_dir, int64_t now_utc, size_t *nheld, struct error *err)
{
	int64_t witness = newest_witness(store, far_dir);
	struct charge c;

	if (store_begin(store, err) == -1)
		return -1;
	if (load_charge(store, &c, err) == -1 || hold_unsettled(store, now_utc, nheld, err) == -1 ||
	    forget_future(store, now_utc, err) == -1) {
		store_rollback(store);
		return -1;
	}
	c.number = (c.number > witness ? c.number : witness) + 1;
	c.at_utc = now_utc;
	c.machine = read_machine();
	return write_charge(store, &c, far_dir, err);
}
