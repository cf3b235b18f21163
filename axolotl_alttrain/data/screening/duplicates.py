"""Near-duplicates in a stream of queries."""

from __future__ import annotations

import hashlib

from datasketch import MinHashLSH

from axolotl_alttrain.data.screening.shingles import jaccard, minhasher, normalized, shingles
from axolotl_alttrain.errors import AltTrainError

# A pair is compared if all values of one band agree. With 16 bands of 6 values, this misses 1 % of the pairs whose
# similarity is exactly 0.8, and fewer than one in a million at 0.95. The bands that datasketch chooses for 0.8 would
# miss more than half.
BANDS, BAND = 16, 6


class NearDuplicates:
    """Finds, for each text in turn, an earlier text that is nearly the same.

    Texts are compared as sets of character trigrams, after case, width, punctuation and whitespace are normalised;
    this works for every script. MinHash with locality-sensitive hashing proposes candidates (Broder 1997; Leskovec et
    al., "Mining of Massive Datasets", ch. 3). Their exact Jaccard similarity decides, so a hash collision never makes a
    duplicate. The same texts in the same order give the same result.

    Memory grows only with the number of texts kept, by about 5 KiB each; ``benchmarks/build_data.py`` measured 5.6 KiB
    per trace for the whole builder, from 10,000 to 100,000 traces.

    Args:
        threshold: Lowest Jaccard similarity of near-duplicates, from 0.5 to 1.

    Raises:
        AltTrainError: The threshold is out of range.
    """

    def __init__(self, threshold: float = 0.8) -> None:
        if not 0.5 <= threshold <= 1:
            raise AltTrainError(f"near-duplicate threshold: found {threshold}; allowed: 0.5 to 1")
        self.threshold = threshold
        bands, band = (BANDS, BAND) if threshold >= 0.75 else (32, 4)  # a lower threshold needs shorter bands
        self._minhash = minhasher(bands * band)
        self._index = MinHashLSH(num_perm=bands * band, params=(bands, band), hashfunc=_short)
        self._kept: list[tuple[str, bytes]] = []

    def __len__(self) -> int:
        """Number of texts kept so far."""
        return len(self._kept)

    def find(self, id: str, text: str) -> str | None:
        """Find the most similar earlier text; if none is similar enough, keep this one.

        Args:
            id: ID of this text, returned for later texts that resemble it.
            text: Any text.

        Returns:
            The ID of the earlier text, the first of equally similar ones; None if the text is new.
        """
        text = normalized(text)
        grams = shingles(text)
        hashed = self._minhash(grams)
        best, found = 0.0, None
        for number in sorted(self._index.query(hashed)):
            earlier, kept = self._kept[number]
            similarity = jaccard(grams, shingles(kept.decode("utf-8", "surrogatepass")))
            if similarity >= self.threshold and similarity > best:
                best, found = similarity, earlier
        if found is None:
            self._index.insert(len(self._kept), hashed, check_duplication=False)
            self._kept.append((id, text.encode("utf-8", "surrogatepass")))
        return found


def _short(band: bytes) -> bytes:
    """A hash of a band in 8 bytes; a collision only costs an extra comparison."""
    return hashlib.blake2b(band, digest_size=8).digest()
