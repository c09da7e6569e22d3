/* banned.h - functions that have no safe use here become compile errors. Included by the compiler's
 * -include, after the headers below have been seen. */
#ifndef DIGEST_BANNED_H
#define DIGEST_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With _FORTIFY_SOURCE some of them are macros, which clang does not let one poison. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets
#pragma GCC poison gmtime localtime asctime ctime atoi atol atof system mktemp tmpnam

#endif
