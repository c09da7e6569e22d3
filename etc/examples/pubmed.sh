#!/bin/sh
# What PubMed entered since a day, for a source of digest (digest-source(7)); needs curl and jq.
#   source "pubmed" { type = command  interval = 1d  command = "sh /etc/digest/pubmed.sh 'radiology AND deep learning'" }
set -eu
search=${1:?usage: pubmed.sh SEARCH}
since=$(echo "${DIGEST_SINCE:?is not set; expected a day, as 2026-08-21}" | tr - /)
base=${PUBMED_URL:-https://eutils.ncbi.nlm.nih.gov/entrez/eutils}

# Each answer goes into a variable first: of a pipe only the last command's failure would end the script.
get() {
	curl -fsS --max-time 20 --get -d db=pubmed -d tool=digest --data-urlencode "email=${DIGEST_CONTACT:-}" "$@"
}
answer=$(get -d retmode=json -d retmax=200 -d datetype=edat -d "mindate=$since" -d maxdate=3000 \
	--data-urlencode "term=$search" "$base/esearch.fcgi")
ids=$(printf '%s' "$answer" | jq -r '.esearchresult | .ERROR // empty, .idlist | if type == "array"
	then join(",") else error("PubMed says: \(.)") end')
[ -n "$ids" ] || exit 0 # nothing new

sleep 1 # three requests a second are allowed
papers=$(get -d rettype=medline -d retmode=text -d "id=$ids" "$base/efetch.fcgi")
printf '%s\n' "$papers" | jq -Rsce 'split("\n\n")[] | gsub("\n      "; " ")
	| [split("\n")[] | capture("^(?<name>[A-Z]+) *- (?<text>.*)")] as $lines
	| def all(n): [$lines[] | select(.name == n).text];
	def day(n): all(n)[0] // empty | gsub("[/ ]"; "") | "\(.[0:4])-\(.[4:6])-\(.[6:8])";
	select(all("PMID") != [])
	| { id: all("PMID")[0], title: all("TI")[0], abstract: all("AB")[0], venue: all("JT")[0], tex: false,
	    doi: [all("LID", "AID")[] | select(endswith(" [doi]")) | rtrimstr(" [doi]")][0],
	    authors: [all("FAU")[] | sub("^(?<last>[^,]*), *(?<first>.*)$"; "\(.first) \(.last)")],
	    keywords: all("OT"), listed: [day("EDAT")][0], published: [day("DEP")][0],
	    url: "https://pubmed.ncbi.nlm.nih.gov/\(all("PMID")[0])/" }' ||
	{ echo 'PubMed sends no papers' >&2; exit 1; }
