//! How long replies of 2 MB take to parse, good ones and hostile ones: `cargo bench -p candle-signature --bench parse`.
//! A word after `--` takes only the kinds of reply that have it in their name.

use std::time::{Duration, Instant};

use candle_signature::parse::parse_reply;
use candle_signature::signature::SignatureSpec;
use serde_json::json;

const SIZE: usize = 2 << 20;
const ROUNDS: usize = 9;
const LIMIT: Duration = Duration::from_millis(50);

fn main() {
    let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = machine
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    println!(
        "machine: {}; limit {} ms for 2 MB",
        model.unwrap_or("unknown"),
        LIMIT.as_millis()
    );
    println!(
        "{:<44} {:>9} {:>9} {:>9}  of limit  result",
        "reply", "median ms", "best", "worst"
    );
    let only = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let only = only.unwrap_or_default();
    let mut over = 0;
    for (name, ty, reply) in cases() {
        if !name.contains(&only) {
            continue;
        }
        let spec =
            json!({"outputs": [{"name": "x", "type": ty}, {"name": "y", "type": "Option<i64>"}]});
        let spec = match SignatureSpec::from_json(&spec) {
            Ok(spec) => spec,
            Err(error) => {
                eprintln!("{name}: {error}");
                std::process::exit(1);
            }
        };
        let mut times = Vec::with_capacity(ROUNDS);
        let mut good = false;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let result = std::hint::black_box(parse_reply(&spec, &reply));
            times.push(start.elapsed());
            good = result.is_ok();
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let median = times[ROUNDS / 2];
        over += usize::from(median > LIMIT);
        println!(
            "{name:<44} {:>9.2} {:>9.2} {:>9.2}  {:>7.2}   {}",
            ms(median),
            ms(times[0]),
            ms(times[ROUNDS - 1]),
            median.as_secs_f64() / LIMIT.as_secs_f64(),
            if good { "values" } else { "errors" },
        );
    }
    println!("{over} over the limit");
}

fn cases() -> Vec<(&'static str, &'static str, String)> {
    let fill = |piece: &str| piece.repeat(SIZE / piece.len());
    let section = |text: String| format!("[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]\n");
    let list = |piece: &str| format!("[{}]", fill(piece).trim_end_matches(','));
    let structs = "Vec<struct:{\"name\":\"String\",\"age\":\"i64\"}>";
    vec![
        (
            "prose in a String",
            "String",
            section(fill("The quick brown fox jumps over it.\n")),
        ),
        ("JSON list of integers", "Vec<i64>", section(list("12345,"))),
        (
            "JSON list of strings",
            "Vec<String>",
            section(list("\"some text\",")),
        ),
        (
            "JSON list of escaped strings",
            "Vec<String>",
            section(list("\"a\\n\\u00e9\\ud83d\\ude00\",")),
        ),
        (
            "JSON list of structs",
            structs,
            section(list("{\"name\": \"Bo\", \"age\": 4},")),
        ),
        (
            "loose JSON list of structs",
            structs,
            section(list("{name: 'Bo', 'age': '4',},")),
        ),
        (
            "one JSON string",
            "Json",
            section(format!("\"{}\"", fill("text "))),
        ),
        (
            "JSON reply",
            "Vec<i64>",
            format!("{{\"x\": {}}}", list("1,")),
        ),
        (
            "JSON map",
            "HashMap<String,i64>",
            section(format!(
                "{{{}}}",
                (0..SIZE / 14)
                    .map(|n| format!("\"k{n}\": {n},"))
                    .collect::<String>()
            )),
        ),
        ("bullets", "Vec<String>", section(fill("- an item\n"))),
        ("lines of numbers", "Vec<i64>", section(fill("12345\n"))),
        (
            "key lines",
            "HashMap<String,i64>",
            section((0..SIZE / 10).map(|n| format!("k{n}: {n}\n")).collect()),
        ),
        ("a set of few values", "HashSet<i64>", section(list("1,2,"))),
        ("sections of one field", "i64", fill("[[ ## x ## ]]\n3\n")),
        (
            "sections of unknown fields",
            "i64",
            fill("[[ ## z ## ]]\n3\n"),
        ),
        (
            "a think block",
            "i64",
            format!("<think>{}</think>\n[[ ## x ## ]]\n3", fill("hm ")),
        ),
        ("hostile: [", "Vec<i64>", fill("[")),
        ("hostile: [ in a section", "Vec<i64>", section(fill("["))),
        ("hostile: {\"a\":", "Json", section(fill("{\"a\":"))),
        ("hostile: [ ]", "Vec<i64>", section(fill("[ ] "))),
        ("hostile: { x", "Vec<i64>", fill("{ x ")),
        ("hostile: [[ ##", "i64", fill("[[ ## ")),
        (
            "hostile: marker beginnings by line",
            "i64",
            fill("[[ ## x\n"),
        ),
        ("hostile: **[[", "i64", fill("**[[ ## x ## ]]** ")),
        ("hostile: <think>", "i64", fill("<think>\n")),
        (
            "hostile: \\n<think> after prose",
            "i64",
            format!("a{}", fill("\n<think>")),
        ),
        ("hostile: </think>", "i64", fill("</think>\n")),
        ("hostile: ```", "Vec<i64>", section(fill("```\n"))),
        ("hostile: quotes", "Vec<String>", section(fill("\""))),
        ("hostile: [\"", "Vec<String>", section(fill("[\""))),
        (
            "hostile: backslashes",
            "Vec<String>",
            section(format!("[\"{}", fill("\\"))),
        ),
        ("hostile: digits", "i64", section(fill("9"))),
        (
            "hostile: digits in JSON",
            "Vec<f64>",
            section(format!("[{}]", fill("9"))),
        ),
        ("hostile: commas", "Vec<i64>", section(fill(","))),
        ("hostile: **", "i64", section(fill("**"))),
        ("hostile: x: x:", "i64", fill("x: ")),
        ("hostile: x labels", "i64", fill("x: 3\n")),
        ("hostile: <x>", "i64", fill("<x>")),
        (
            "hostile: comments",
            "Vec<i64>",
            section(format!("[{}", fill("/* */"))),
        ),
        ("hostile: variants", "enum:Low|High", section(fill("Low "))),
        ("hostile: one line of markers", "i64", fill("[[ ## x ## ]]")),
        (
            "hostile: escaped markers",
            "String",
            section(fill("\\[[ ## x ## ]]\n")),
        ),
        ("hostile: line breaks", "i64", fill("\n")),
        ("hostile: blanks", "i64", fill(" ")),
    ]
}
