// The last step of a product whose depth was split: adds the pieces, always in the same order, whoever computed them.
import { smaller } from "./simd";

/** Elements of a task of sumPieces. */
const sumBlock: i32 = 4096;

@unmanaged
class PieceSum {
  out: usize;
  pieces: usize;
  bias: usize;
  length: i32;
  count: i32;
  columns: i32;
  relu: i32;
}

/** out[i] = act(Σ_piece pieces[piece][i] + bias[i mod columns]), always in the same order. A task is 4096 elements. */
export function sumPieces(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const sum = changetype<PieceSum>(parameters);
  const bias = sum.bias, relu = sum.relu != 0, stride = (sum.length as usize) << 2;
  for (let i = begin * sumBlock, last = smaller(end * sumBlock, sum.length); i < last; i++) {
    let from = sum.pieces + ((i as usize) << 2);
    let total: f32 = bias ? load<f32>(bias + ((i % sum.columns) << 2)) : 0;
    for (let piece = 0; piece < sum.count; piece++, from += stride) total += load<f32>(from);
    store<f32>(sum.out + ((i as usize) << 2), relu && total < 0 ? 0 : total);
  }
}
