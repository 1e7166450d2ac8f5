//! Loads an exported model with tch, embeds texts, and compares golden.json.
//!
//!     cargo run --release -- DIR              compare with golden.json
//!     cargo run --release -- DIR "a text" …   print the vectors of texts

use std::error::Error;
use std::path::Path;

use tch::{CModule, Device, Kind, Tensor};
use tokenizers::{Tokenizer, TruncationParams};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// An exported model: TorchScript and tokenizer.
struct Model {
    module: CModule,
    tokenizer: Tokenizer,
    pad_id: i64,
}

impl Model {
    fn load(folder: &Path, device: Device) -> Result<Self> {
        let manifest: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json"))?)?;
        let max_length = manifest["max_tokens"].as_u64().ok_or("max_tokens")? as usize;
        let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))?;
        // The file holds no limits: the model's is in the manifest.
        tokenizer.with_truncation(Some(TruncationParams {
            max_length,
            ..Default::default()
        }))?;
        let mut module = CModule::load_on_device(folder.join("model.pt"), device)?;
        module.set_eval();
        Ok(Self {
            module,
            tokenizer,
            pad_id: manifest["pad_id"].as_i64().ok_or("pad_id")?,
        })
    }

    /// Vectors float32[texts, dims]; ids are padded on the right and the mask says what is padding.
    fn embed(&self, texts: &[String]) -> Result<Tensor> {
        let encodings = self.tokenizer.encode_batch(texts.to_vec(), true)?;
        let rows: Vec<Vec<i64>> = encodings
            .iter()
            .map(|one| one.get_ids().iter().map(|&id| i64::from(id)).collect())
            .collect();
        self.forward(&rows)
    }

    fn forward(&self, rows: &[Vec<i64>]) -> Result<Tensor> {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut ids = vec![self.pad_id; rows.len() * width];
        let mut mask = vec![0i64; rows.len() * width];
        for (at, row) in rows.iter().enumerate() {
            ids[at * width..at * width + row.len()].copy_from_slice(row);
            mask[at * width..at * width + row.len()].fill(1);
        }
        let shape = [rows.len() as i64, width as i64];
        let ids = Tensor::from_slice(&ids).reshape(shape);
        let mask = Tensor::from_slice(&mask).reshape(shape);
        let _no_gradients = tch::no_grad_guard();
        Ok(self.module.forward_ts(&[ids, mask])?)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: embed DIR [TEXT …]")?;
    let folder = Path::new(&folder);
    let texts: Vec<String> = arguments.collect();
    let model = Model::load(folder, Device::Cpu)?;
    if !texts.is_empty() {
        model.embed(&texts)?.print();
        return Ok(());
    }
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("golden.json"))?)?;
    let texts: Vec<String> = serde_json::from_value(golden["texts"].clone())?;
    let expected: Vec<Vec<f32>> = serde_json::from_value(golden["vectors"].clone())?;
    let dims = expected[0].len() as i64;
    let expected = Tensor::from_slice(&expected.concat()).reshape([-1, dims]);
    let apart = (model.embed(&texts)? - expected)
        .abs()
        .max()
        .to_kind(Kind::Double)
        .double_value(&[]);
    println!(
        "{} texts, {dims} dimensions, at most {apart:e} from golden.json",
        texts.len()
    );
    if apart > 1e-5 {
        return Err("the vectors are not those of the export".into());
    }
    Ok(())
}
