//! What hashing costs: each digest that clients send, over one megabyte. What is stored is hashed by BLAKE3 besides, in the same pass.

use divan::{Bencher, black_box, counter::BytesCount};
use nichoir_store::checksum::{Algorithm, Hasher};

const BYTES: usize = 1 << 20;
/// Bodies come in about such pieces.
const PIECE_BYTES: usize = 64 * 1024;

fn main() {
    divan::main();
}

#[divan::bench(args = [Algorithm::Sha1, Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha3_256, Algorithm::Adler32], max_time = 2)]
fn one_digest(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    over(bencher, &[algorithm]);
}

#[divan::bench(max_time = 2)]
fn all_digests_in_one_pass(bencher: Bencher<'_, '_>) {
    over(bencher, &[Algorithm::Sha1, Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha3_256, Algorithm::Adler32]);
}

#[divan::bench(max_time = 2)]
fn blake3(bencher: Bencher<'_, '_>) {
    let bytes = vec![7; BYTES];
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| blake3::hash(black_box(&bytes)));
}

fn over(bencher: Bencher<'_, '_>, algorithms: &[Algorithm]) {
    let bytes = vec![7; BYTES];
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| {
        let mut hashers: Vec<Hasher> = algorithms.iter().map(|algorithm| Hasher::new(*algorithm)).collect();
        for piece in bytes.chunks(PIECE_BYTES) {
            hashers.iter_mut().for_each(|hasher| hasher.update(black_box(piece)));
        }
        hashers.into_iter().map(Hasher::finish).collect::<Vec<_>>()
    });
}
