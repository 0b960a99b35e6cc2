"""Numbers published by others, that a run's own stand beside."""

# Test errors in per cent that Vincent et al. 2010 (JMLR 11, Table 3) report for three hidden layers, by dataset and by
# what a network was initialised from. SAA-3, stacked ordinary auto-encoders, is not among the models here.
PUBLISHED_IN = "Vincent et al. 2010, Table 3"
PUBLISHED = {
    ("mnist_originals", "dbn"): ("DBN-3", 1.24),
    ("mnist_originals", "sdae"): ("SdA-3", 1.28),
    ("mnist_rot", "dbn"): ("DBN-3", 10.30),
    ("mnist_rot", "saa"): ("SAA-3", 10.30),
    ("mnist_rot", "sdae"): ("SdA-3", 9.53),
}
