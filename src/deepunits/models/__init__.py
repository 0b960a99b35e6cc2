"""The models of section 3: Deep Belief Nets, Stacked Denoising Auto-Encoders and the classifiers they initialise."""
