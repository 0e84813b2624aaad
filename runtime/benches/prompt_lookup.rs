//! Tokens a step and time of extraction on the embedded model, with and without guesses that are looked up in the
//! prompt, in turn. `cargo bench -p candle-signature --bench prompt_lookup`

mod support;

use std::error::Error;
use std::time::Instant;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::Predict;
use support::{median, spread};

const ROUNDS: usize = 7;
const LOOKUPS: [usize; 4] = [0, 2, 4, 8];

/// Extract the order.
#[derive(CandleSignature)]
struct Order {
    #[input]
    message: String,
    #[output]
    customer: String,
    #[output]
    quantity: i64,
    #[output]
    gift: bool,
    #[output]
    city: Option<String>,
}

const MESSAGES: [&str; 6] = [
    "Hi, this is Marlena Kowalczyk from Bratislava. Please send 14 mugs, gift wrapped.",
    "Theodora Vandenberg here. I need 3 lamps, no gift wrapping, shipped to Thessaloniki.",
    "Please send 7 notebooks to Bartholomew Featherstone in Wolverhampton, it is a gift.",
    "Order for Anneliese Schwarzenbach: 21 candles, not a gift, deliver to Klagenfurt.",
    "My name is Ignatius Papadopoulos and I want 5 chairs as a gift.",
    "Guadalupe Montenegro orders 12 plates for Guadalajara. No gift.",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let threads = model.engine().model().network().threads();
    println!("{}, {threads} threads; embedded model, f32", support::cpu());
    for constrain_output in [true, false] {
        let adapters = LOOKUPS
            .iter()
            .map(|prompt_lookup| {
                let config = CandleConfig {
                    constrain_output,
                    max_tokens: 96,
                    prompt_lookup: *prompt_lookup,
                    ..Default::default()
                };
                CandleAdapter::from_loaded_model(model.clone(), config)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut times = vec![Vec::new(); LOOKUPS.len()];
        let mut counts = [(0, 0, 0, 0); LOOKUPS.len()];
        let mut replies = vec![Vec::new(); LOOKUPS.len()];
        for _ in 0..=ROUNDS {
            for (at, adapter) in adapters.iter().enumerate() {
                let before = model.engine().stats();
                let start = Instant::now();
                replies[at] = extract(adapter).await?;
                times[at].push(start.elapsed().as_secs_f64() * 1e3);
                let after = model.engine().stats();
                counts[at] = (
                    after.decoded_tokens - before.decoded_tokens,
                    after.steps - before.steps,
                    after.drafted_tokens - before.drafted_tokens,
                    after.accepted_tokens - before.accepted_tokens,
                );
            }
        }
        if replies.iter().any(|other| *other != replies[0]) {
            return Err("guesses changed a reply".into());
        }
        println!(
            "\n{} replies, {} messages:",
            if constrain_output {
                "constrained"
            } else {
                "free"
            },
            MESSAGES.len()
        );
        // The first round found prompts for the others.
        for times in &mut times {
            times.remove(0);
        }
        let without = median(&times[0]);
        for ((lookup, times), counts) in LOOKUPS.iter().zip(&times).zip(counts) {
            let (decoded, steps, drafted, accepted) = counts;
            println!(
                "  {lookup} guesses: {:.2} tokens chosen a step ({decoded} in {steps}, {accepted} of {drafted} guesses right), {} ms, {:.2} times as fast",
                decoded as f64 / steps as f64,
                spread(times, 1),
                without / median(times),
            );
        }
    }
    Ok(())
}

async fn extract(adapter: &CandleAdapter) -> Result<Vec<String>, Box<dyn Error>> {
    let program = Predict::<Order>::new();
    let mut replies = Vec::new();
    for message in MESSAGES {
        let input = OrderInput {
            message: message.to_owned(),
        };
        let order = program.call(adapter, input).await?;
        replies.push(order.raw().to_owned());
    }
    Ok(replies)
}
