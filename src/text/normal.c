/* The singular of English words and one spelling for British and American ones, by tables. Both
 * sides of every comparison pass through here, so it does no harm when a word comes out that no
 * dictionary has ("noize", "alway"), as long as no other word becomes the same. */
#include "digest/text.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_STEM = 3, MAX_NORMAL = 256 };

struct word_pair {
	const char *from, *to;
};

/* Plurals that no rule below makes singular, and spellings that differ over the sea. Sorted by the
 * first word. */
static const struct word_pair irregular[] = {
	{ "agis", "agi" },
	{ "aliases", "alias" },
	{ "apis", "api" },
	{ "appendices", "appendix" },
	{ "asics", "asic" },
	{ "atlases", "atlas" },
	{ "automata", "automaton" },
	{ "avalanches", "avalanche" },
	{ "axes", "axis" },
	{ "bacteria", "bacterium" },
	{ "biases", "bias" },
	{ "bonuses", "bonus" },
	{ "buses", "bus" },
	{ "caches", "cache" },
	{ "calories", "calorie" },
	{ "campuses", "campus" },
	{ "cancelled", "canceled" },
	{ "cancelling", "canceling" },
	{ "canvases", "canvas" },
	{ "catalogue", "catalog" },
	{ "catalogues", "catalog" },
	{ "centre", "center" },
	{ "centres", "center" },
	{ "characteristics", "characteristic" },
	{ "children", "child" },
	{ "clinics", "clinic" },
	{ "clis", "cli" },
	{ "comics", "comic" },
	{ "cookies", "cookie" },
	{ "corpora", "corpus" },
	{ "corpuses", "corpus" },
	{ "cortices", "cortex" },
	{ "cpus", "cpu" },
	{ "crises", "crisis" },
	{ "criteria", "criterion" },
	{ "critics", "critic" },
	{ "defence", "defense" },
	{ "defences", "defense" },
	{ "diagnoses", "diagnosis" },
	{ "dialogue", "dialog" },
	{ "dialogues", "dialog" },
	{ "dpus", "dpu" },
	{ "echoes", "echo" },
	{ "embeddings", "embedding" },
	{ "fabrics", "fabric" },
	{ "feet", "foot" },
	{ "fibre", "fiber" },
	{ "fibres", "fiber" },
	{ "fmris", "fmri" },
	{ "foci", "focus" },
	{ "focuses", "focus" },
	{ "formulae", "formula" },
	{ "fpus", "fpu" },
	{ "gases", "gas" },
	{ "gpus", "gpu" },
	{ "grus", "gru" },
	{ "guis", "gui" },
	{ "halves", "half" },
	{ "headaches", "headache" },
	{ "helices", "helix" },
	{ "heroes", "hero" },
	{ "heuristics", "heuristic" },
	{ "imus", "imu" },
	{ "indices", "index" },
	{ "ipus", "ipu" },
	{ "knives", "knife" },
	{ "labelled", "labeled" },
	{ "labelling", "labeling" },
	{ "leaves", "leaf" },
	{ "lenses", "lens" },
	{ "loci", "locus" },
	{ "logics", "logic" },
	{ "lyrics", "lyric" },
	{ "matrices", "matrix" },
	{ "maxima", "maximum" },
	{ "menus", "menu" },
	{ "metre", "meter" },
	{ "metres", "meter" },
	{ "metrics", "metric" },
	{ "mice", "mouse" },
	{ "minima", "minimum" },
	{ "modelled", "modeled" },
	{ "modelling", "modeling" },
	{ "mosaics", "mosaic" },
	{ "movies", "movie" },
	{ "mris", "mri" },
	{ "niches", "niche" },
	{ "npus", "npu" },
	{ "nuclei", "nucleus" },
	{ "optima", "optimum" },
	{ "phenomena", "phenomenon" },
	{ "pois", "poi" },
	{ "potatoes", "potato" },
	{ "quanta", "quantum" },
	{ "quizzes", "quiz" },
	{ "radii", "radius" },
	{ "relus", "relu" },
	{ "rois", "roi" },
	{ "schemata", "schema" },
	{ "shelves", "shelf" },
	{ "signalling", "signaling" },
	{ "simplices", "simplex" },
	{ "specifics", "specific" },
	{ "spectra", "spectrum" },
	{ "statistics", "statistic" },
	{ "statuses", "status" },
	{ "stimuli", "stimulus" },
	{ "strata", "stratum" },
	{ "tomatoes", "tomato" },
	{ "topics", "topic" },
	{ "tpus", "tpu" },
	{ "travelling", "traveling" },
	{ "vertices", "vertex" },
	{ "viruses", "virus" },
	{ "vortices", "vortex" },
	{ "wolves", "wolf" },
	{ "women", "woman" },
	{ "xpus", "xpu" },
};

/* Words that end like a plural and are none; -ss, -us, -is and -ics are never taken for one.
 * Sorted. */
static const char *const singulars[] = { "adas", "aids", "alias", "always", "atlas", "bayes",
	"bias", "bios", "canvas", "chaos", "cosmos", "does", "ethos", "goes", "hopkins", "james",
	"kubernetes", "lens", "macos", "mars", "means", "news", "pandas", "pathos", "perhaps",
	"sars", "series", "species", "stokes", "texas", "times", "towards", "whereas" };

/* The ends of plurals, longest first. What comes before must be at least min_stem letters. */
static const struct {
	const char *end;
	size_t min_stem;
	const char *singular_end; /* NULL = no plural */
} plural_ends[] = {
	{ "theses", 0, "thesis" },
	{ "lyses", 1, "lysis" },
	{ "sses", 1, "ss" },
	{ "ches", 2, "ch" },
	{ "shes", 2, "sh" },
	{ "ies", 2, "y" },
	{ "xes", 2, "x" },
	{ "ics", 1, NULL },
	{ "ss", 0, NULL },
	{ "us", 0, NULL },
	{ "is", 0, NULL },
	{ "s", 3, "" },
};

/* -ise and its forms; -lyse as in "analyse". */
static const struct word_pair verb_ends[] = {
	{ "isations", "izations" },
	{ "isation", "ization" },
	{ "isers", "izers" },
	{ "iser", "izer" },
	{ "ising", "izing" },
	{ "ised", "ized" },
	{ "ise", "ize" },
	{ "lysers", "lyzers" },
	{ "lyser", "lyzer" },
	{ "lysing", "lyzing" },
	{ "lysed", "lyzed" },
	{ "lyse", "lyze" },
};

/* Wherever these stand in a word, the 'u' goes: "neighbourhood", "behavioural", "unfavourable". */
static const char *const our_stems[] = { "armour", "behaviour", "colour", "endeavour", "favour",
	"flavour", "glamour", "harbour", "honour", "humour", "labour", "neighbour", "odour",
	"parlour", "rigour", "rumour", "savour", "splendour", "tumour", "vapour", "vigour" };

static bool
ends_with(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(word + len - n, end, n) == 0;
}

/* Put to for the last strlen(from) bytes; nothing here is longer than the room kept for it. */
static void
replace_end(char *word, size_t *len, size_t from_len, const char *to)
{
	size_t n = strlen(to);

	memcpy(word + *len - from_len, to, n + 1);
	*len += n - from_len;
}

static int
compare_pair(const void *word, const void *pair)
{
	return strcmp(word, ((const struct word_pair *)pair)->from);
}

static int
compare_word(const void *word, const void *element)
{
	return strcmp(word, *(const char *const *)element);
}

static bool
replace_irregular(char *word, size_t *len)
{
	const struct word_pair *pair = bsearch(word, irregular,
	    sizeof(irregular) / sizeof(irregular[0]), sizeof(irregular[0]), compare_pair);

	if (pair != NULL)
		replace_end(word, len, *len, pair->to);
	return pair != NULL ||
	    bsearch(word, singulars, sizeof(singulars) / sizeof(singulars[0]), sizeof(singulars[0]),
		compare_word) != NULL;
}

static void
drop_plural(char *word, size_t *len)
{
	if (word[*len - 1] != 's')
		return;
	for (size_t i = 0; i < sizeof(plural_ends) / sizeof(plural_ends[0]); i++) {
		size_t n = strlen(plural_ends[i].end);

		if (!ends_with(word, *len, plural_ends[i].end) ||
		    *len - n < plural_ends[i].min_stem)
			continue;
		if (plural_ends[i].singular_end != NULL)
			replace_end(word, len, n, plural_ends[i].singular_end);
		return;
	}
}

static void
unify_spelling(char *word, size_t *len)
{
	for (size_t i = 0; i < sizeof(verb_ends) / sizeof(verb_ends[0]); i++) {
		size_t n = strlen(verb_ends[i].from);

		if (ends_with(word, *len, verb_ends[i].from)) {
			/* "rise" and "Ising" stay. */
			if (*len - n >= MIN_STEM - (verb_ends[i].from[0] == 'l'))
				replace_end(word, len, n, verb_ends[i].to);
			break;
		}
	}
	if (strstr(word, "our") == NULL)
		return;
	for (size_t i = 0; i < sizeof(our_stems) / sizeof(our_stems[0]); i++) {
		char *at = strstr(word, our_stems[i]);

		if (at != NULL) {
			at += strlen(our_stems[i]) - 2;
			memmove(at, at + 1, strlen(at));
			--*len;
		}
	}
}

static bool
is_plain(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)word[i] >= 0x80)
			return false;
	return len > 0;
}

void
text_normal_word(const char *folded, char *out, size_t size)
{
	char word[MAX_NORMAL + 8];
	size_t len = strlen(folded);

	if (len <= MAX_NORMAL && is_plain(folded, len)) {
		memcpy(word, folded, len + 1);
		if (!replace_irregular(word, &len)) {
			drop_plural(word, &len);
			unify_spelling(word, &len);
		}
		folded = word;
	}
	if (size == 0)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(out, folded, len);
	out[len] = '\0';
}
