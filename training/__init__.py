"""How the embedded model is made: prompt rendering, data generation, tokenizer, training and export."""
