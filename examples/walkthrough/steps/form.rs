//! A reply that can't be out of form
//! Constraints are part of the grammar, so that they hold whatever the model would say: here at the highest temperature, on an input that means nothing. And when the tokens run
//! out, the reply is closed validly, and says in which field that was.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};

/// Extract the order.
#[derive(CandleSignature)]
struct Order {
    #[input]
    message: String,
    #[output(min = 1, max = 12)]
    quantity: u8,
    #[output(one_of = ["Rome", "Oslo", "Graz"])]
    city: String,
    #[output(len = 3..=5, unique)]
    notes: Vec<String>,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let wild = CandleConfig {
        temperature: 2.0,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, wild.clone())?;
    let input = || OrderInput {
        message: "zxq !! 99".into(),
    };
    let order = Order::predict(&adapter, input()).await?;
    let cities = ["Rome", "Oslo", "Graz"];
    writeln!(
        out,
        "a quantity from 1 to 12: {}, a known city: {}, three to five notes: {}",
        (1..=12).contains(&order.quantity),
        cities.contains(&order.city.as_str()),
        (3..=5).contains(&order.notes.len()),
    )?;

    let short = CandleConfig {
        max_tokens: 35,
        ..wild
    };
    let order = Order::predict(&adapter.with_config(short)?, input()).await?;
    writeln!(
        out,
        "with 35 tokens: cut short in {:?}, {} note(s)",
        order.truncated(),
        order.notes.len()
    )?;
    Ok(())
}
