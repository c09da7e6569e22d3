#include "digest/token.h"

#include "digest/file.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CLAIM_BYTES = 2 + 1 + 8 + 4,
	MAC_BYTES = 16,
	TOKEN_BYTES = CLAIM_BYTES + MAC_BYTES,
	HEX_DIGITS = 2 * TOKEN_KEY_BYTES,
	MAX_KEY_FILE = 4096, /* 16 keys of 71 bytes and a few words about them */
	MAX_KEY_ID = 65535,
};

_Static_assert((TOKEN_BYTES * 8 + 4) / 5 == TOKEN_LEN, "a token is its bytes in base32");

struct token_key {
	uint16_t id;
	unsigned char bytes[TOKEN_KEY_BYTES];
};

struct token_keys {
	struct token_key keys[MAX_TOKEN_KEYS]; /* newest first */
	size_t len;
};

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* The big-endian bytes of a number. */
static void
put_number(unsigned char *out, size_t size, uint64_t n)
{
	while (size > 0) {
		out[--size] = (unsigned char)(n & 0xff);
		n >>= 8;
	}
}

static uint64_t
get_number(const unsigned char *bytes, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n = n << 8 | bytes[i];
	return n;
}

static void
encode_base32(const unsigned char bytes[TOKEN_BYTES], char out[TOKEN_LEN])
{
	for (size_t i = 0; i < TOKEN_LEN; i++) {
		size_t bit = 5 * i;
		unsigned pair = (unsigned)bytes[bit / 8] << 8;

		if (bit / 8 + 1 < TOKEN_BYTES)
			pair |= bytes[bit / 8 + 1];
		out[i] = base32_digits[pair >> (11 - bit % 8) & 31];
	}
}

/* Returns -1 unless text is exactly TOKEN_LEN digits whose unused last bits are zero: one token,
 * one spelling. */
static int
decode_base32(const char *text, unsigned char out[TOKEN_BYTES])
{
	unsigned bits = 0, nbits = 0;
	size_t len = 0;

	for (size_t i = 0; i < TOKEN_LEN; i++) {
		char c = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
		const char *digit = c != '\0' ? strchr(base32_digits, c) : NULL;

		if (digit == NULL)
			return -1;
		bits = (bits << 5 | (unsigned)(digit - base32_digits)) & 0xfff;
		nbits += 5;
		if (nbits >= 8) {
			nbits -= 8;
			out[len++] = (unsigned char)(bits >> nbits & 0xff);
		}
	}
	return text[TOKEN_LEN] == '\0' && (bits & ((1u << nbits) - 1)) == 0 ? 0 : -1;
}

static void
make_mac(const struct token_key *key, const unsigned char claim[CLAIM_BYTES],
    unsigned char out[MAC_BYTES])
{
	static const unsigned char use[] = "digest token 1"; /* with its NUL */
	unsigned char whole[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
	crypto_auth_hmacsha256_update(&state, use, sizeof(use));
	crypto_auth_hmacsha256_update(&state, claim, CLAIM_BYTES);
	crypto_auth_hmacsha256_final(&state, whole);
	memcpy(out, whole, MAC_BYTES);
	sodium_memzero(&state, sizeof(state));
}

void
token_add(struct strbuf *out, const struct token_keys *keys, enum token_purpose purpose,
    int64_t reader_id, uint32_t epoch)
{
	unsigned char token[TOKEN_BYTES] = { 0 };
	char text[TOKEN_LEN];

	put_number(token + 2, 1, (uint64_t)purpose);
	put_number(token + 3, 8, (uint64_t)reader_id);
	put_number(token + 11, 4, epoch);
	if (keys->len > 0) { /* else key id 0, which no file can hold */
		put_number(token, 2, keys->keys[0].id);
		make_mac(&keys->keys[0], token, token + CLAIM_BYTES);
	}
	encode_base32(token, text);
	strbuf_addn(out, text, sizeof(text));
}

int
token_verify(const struct token_keys *keys, const char *text, enum token_purpose purpose,
    int64_t *reader_id, uint32_t *epoch)
{
	unsigned char token[TOKEN_BYTES], mac[MAC_BYTES];
	const struct token_key *key = NULL;

	if (decode_base32(text, token) == -1)
		return 0;
	for (size_t i = 0; i < keys->len && key == NULL; i++) /* ids are no secret */
		if (keys->keys[i].id == get_number(token, 2))
			key = &keys->keys[i];
	if (key == NULL)
		return 0;
	make_mac(key, token, mac);
	if (sodium_memcmp(mac, token + CLAIM_BYTES, MAC_BYTES) != 0 || token[2] != purpose)
		return 0;
	*reader_id = (int64_t)get_number(token + 3, 8);
	*epoch = (uint32_t)get_number(token + 11, 4);
	return 1;
}

/* "id hex" of len bytes. Returns what is wrong, or NULL. */
static const char *
parse_key(const char *line, size_t len, struct token_key *out)
{
	unsigned long id = 0;
	size_t i = 0, made;

	for (; i < len && line[i] >= '0' && line[i] <= '9' && id <= MAX_KEY_ID; i++)
		id = 10 * id + (unsigned long)(line[i] - '0');
	if (id == 0 || id > MAX_KEY_ID || i == len || line[i] != ' ')
		return "expected 'id hex' with an id of 1..65535";
	i++;
	if (len - i != HEX_DIGITS ||
	    sodium_hex2bin(
		out->bytes, sizeof(out->bytes), line + i, HEX_DIGITS, NULL, &made, NULL) == -1 ||
	    made != TOKEN_KEY_BYTES)
		return "expected 64 hex digits after the id";
	out->id = (uint16_t)id;
	return NULL;
}

static const char *
add_key(struct token_keys *keys, const char *line, size_t len)
{
	struct token_key *key = &keys->keys[keys->len];
	const char *fault;

	if (keys->len == MAX_TOKEN_KEYS)
		return "more than 16 keys";
	fault = parse_key(line, len, key);
	for (size_t i = 0; i < keys->len && fault == NULL; i++)
		if (keys->keys[i].id == key->id)
			fault = "this id stands above already";
	if (fault == NULL)
		keys->len++;
	return fault;
}

/* The message never shows what stands on the line: it may be a key. */
static int
parse_keys(const char *path, const char *text, struct token_keys *keys, struct error *err)
{
	unsigned number = 1;

	for (const char *line = text; *line != '\0'; number++) {
		size_t len = strcspn(line, "\n");
		const char *fault = NULL;

		if (len > 0 && line[0] != '#')
			fault = add_key(keys, line, len);
		if (fault != NULL)
			return err_set(err, ERR_CONFIG, "%s:%u: %s", path, number, fault);
		line += len;
		line += *line == '\n';
	}
	if (keys->len == 0)
		return err_set(err, ERR_CONFIG, "%s: no key in it; expected lines 'id hex'", path);
	return 0;
}

/* The file as it stands, into text, and what it says into keys. */
static int
read_keys(const char *path, struct strbuf *text, struct token_keys *keys, struct error *err)
{
	if (file_check_private(path, err) == -1 || file_read(path, text, err) == -1)
		return -1;
	return parse_keys(path, text->buf, keys, err);
}

static void
wipe_text(struct strbuf *text)
{
	if (text->alloc > 0)
		sodium_memzero(text->buf, text->alloc);
	strbuf_release(text);
}

/* A key that signed mails must not be lost with the power. */
static int
sync_folder_of(const char *path, struct error *err)
{
	struct strbuf folder;
	int fd, rc = -1;

	strbuf_init(&folder, MAX_KEY_FILE);
	file_resolve(&folder, path, ".");
	fd = open(folder.buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1 && fsync(fd) == 0)
		rc = 0;
	else
		err_set(err, ERR_IO, "%s: %s", folder.buf, strerror(errno));
	if (fd != -1)
		close(fd);
	strbuf_release(&folder);
	return rc;
}

/* Written whole under another name and linked: of two processes the second finds the key of the
 * first, and neither signs with one that is lost. */
static int
create_keys(const char *path, struct error *err)
{
	unsigned char key[TOKEN_KEY_BYTES];
	char hex[HEX_DIGITS + 1];
	struct strbuf text, temp;
	int rc = -1;

	randombytes_buf(key, sizeof(key));
	sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
	strbuf_init(&text, MAX_KEY_FILE);
	strbuf_init(&temp, MAX_KEY_FILE);
	strbuf_addf(&text,
	    "# The keys of unsubscribe links, newest first. Keep them: without its key a link in a "
	    "mail is dead.\n"
	    "1 %s\n",
	    hex);
	strbuf_addf(&temp, "%s.%ld", path, (long)getpid());
	if (strbuf_check(&text, err) == -1 || strbuf_check(&temp, err) == -1 ||
	    file_write(temp.buf, 0600, text.buf, text.len, err) == -1)
		goto out;
	if (link(temp.buf, path) == 0)
		rc = sync_folder_of(path, err);
	else if (errno == EEXIST)
		rc = 0;
	else
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	unlink(temp.buf);
out:
	sodium_memzero(key, sizeof(key));
	sodium_memzero(hex, sizeof(hex));
	if (text.alloc > 0)
		sodium_memzero(text.buf, text.alloc);
	strbuf_release(&temp);
	strbuf_release(&text);
	return rc;
}

int
token_key_load(const char *path, bool create, struct token_keys **out, struct error *err)
{
	struct token_keys *keys;
	struct strbuf text;
	bool missing = access(path, F_OK) == -1 && errno == ENOENT;
	int rc = 0;

	if (sodium_init() == -1)
		return err_set(err, ERR_BUG, "libsodium does not start");
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return err_nomem(err, "token keys");
	if (missing && create)
		rc = create_keys(path, err);
	strbuf_init(&text, MAX_KEY_FILE);
	if (rc == 0 && (create || !missing))
		rc = read_keys(path, &text, keys, err);
	wipe_text(&text);
	if (rc == 0)
		*out = keys;
	else
		token_keys_free(keys);
	return rc;
}

int
token_key_save(const char *path, struct strbuf *out, struct error *err)
{
	struct token_keys keys = { 0 };
	struct strbuf text;
	int rc = 0;

	strbuf_init(&text, MAX_KEY_FILE);
	if (file_exists(path))
		rc = read_keys(path, &text, &keys, err);
	if (rc == 0) {
		strbuf_addn(out, text.buf, text.len);
		rc = strbuf_check(out, err);
	}
	wipe_text(&text);
	sodium_memzero(&keys, sizeof(keys));
	return rc;
}

/* The saved keys that the file at hand lacks, as lines of it. Returns how many, or -1 when one of its keys has the number of
 * another one. */
static int
add_missing(struct strbuf *out, const struct token_keys *now, const struct token_keys *saved)
{
	char hex[HEX_DIGITS + 1];
	size_t at;
	int n = 0;

	for (size_t i = 0; i < saved->len; i++) {
		const struct token_key *key = &saved->keys[i];

		for (at = 0; at < now->len && now->keys[at].id != key->id; at++)
			continue;
		if (at == now->len) {
			sodium_bin2hex(hex, sizeof(hex), key->bytes, sizeof(key->bytes));
			strbuf_addf(out, "%u %s\n", (unsigned)key->id, hex);
			sodium_memzero(hex, sizeof(hex));
			n++;
		} else if (memcmp(now->keys[at].bytes, key->bytes, sizeof(key->bytes)) != 0) {
			return -1;
		}
	}
	return n;
}

/* Other keys of the same numbers belong to another store. */
static int
replace_file(const char *path, const char *text, struct error *err)
{
	struct strbuf kept;
	int rc;

	strbuf_init(&kept, MAX_KEY_FILE);
	strbuf_addf(&kept, "%s.before-restore", path);
	rc = strbuf_check(&kept, err);
	if (rc == 0 && rename(path, kept.buf) == -1)
		rc = err_set(err, ERR_IO, "%s: %s", kept.buf, strerror(errno));
	strbuf_release(&kept);
	return rc == 0 ? file_write(path, 0600, text, strlen(text), err) : -1;
}

/* Into a file that is there. */
static int
join_keys(const char *path, const char *text, const struct token_keys *saved,
    enum token_restored *out, struct error *err)
{
	struct token_keys now = { 0 };
	struct strbuf all;
	int nmissing, rc = -1;

	strbuf_init(&all, MAX_KEY_FILE);
	if (read_keys(path, &all, &now, err) == -1)
		goto out;
	if (all.buf[all.len - 1] != '\n')
		strbuf_add(&all, "\n");
	nmissing = add_missing(&all, &now, saved);
	if (nmissing == -1 || now.len + (size_t)nmissing > MAX_TOKEN_KEYS) {
		*out = TOKEN_KEYS_REPLACED;
		rc = replace_file(path, text, err);
	} else if (nmissing == 0) {
		*out = TOKEN_KEYS_SAME;
		rc = 0;
	} else if (strbuf_check(&all, err) == 0) {
		*out = TOKEN_KEYS_ADDED;
		rc = file_write(path, 0600, all.buf, all.len, err);
	}
out:
	wipe_text(&all);
	sodium_memzero(&now, sizeof(now));
	return rc;
}

int
token_key_restore(const char *path, const char *text, enum token_restored *out, struct error *err)
{
	struct token_keys saved = { 0 };
	int rc;

	if (parse_keys("the backup's keys", text, &saved, err) == -1) {
		if (err != NULL)
			err->kind = ERR_DATA;
		rc = -1;
	} else if (file_exists(path)) {
		rc = join_keys(path, text, &saved, out, err);
	} else {
		*out = TOKEN_KEYS_PUT;
		rc = file_write(path, 0600, text, strlen(text), err);
	}
	sodium_memzero(&saved, sizeof(saved));
	return rc;
}

void
token_keys_free(struct token_keys *keys)
{
	if (keys == NULL)
		return;
	sodium_memzero(keys, sizeof(*keys));
	free(keys);
}

size_t
token_keys_count(const struct token_keys *keys)
{
	return keys->len;
}
