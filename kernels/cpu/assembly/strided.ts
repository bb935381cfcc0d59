// How element-wise kernels read operands of any strides: every operand becomes a pointer with a step, contiguous rows as they lie, scalars as
// one splat vector, everything else gathered into scratch. Layout of the job's description, all i32:
//   [total, rowLength, chunk, outerRank, outer sizes …, per operand: address, inner stride, outer strides …]
import { smaller } from "./simd";

/** Elements a task covers. */
export const elementsPerTask: i32 = 16384;

/** Elements of the next stretch from `position` on: within one row, one task and what scratch holds. */
@inline
export function stretch(job: usize, column: i32, left: i32): i32 {
  return smaller(smaller(load<i32>(job, 4) - column, load<i32>(job, 8)), left);
}

@inline
function record(job: usize, operand: i32): usize {
  const outerRank = load<i32>(job, 12);
  return job + 16 + (<usize>(outerRank + operand * (outerRank + 2)) << 2);
}

/** Bytes from one vector of the operand to the next. */
export function stepOf(job: usize, operand: i32): usize {
  return load<i32>(record(job, operand), 4) == 0 ? 0 : 16;
}

/** Where the operand's elements [column, column + count) of a row can be read as vectors. */
export function operandAt(job: usize, operand: i32, row: i32, column: i32, count: i32, scratch: usize): usize {
  const own = record(job, operand);
  const stride = load<i32>(own, 4);
  let offset = column * stride;
  let rest = row;
  for (let dim = load<i32>(job, 12) - 1; dim >= 0; dim--) {
    const size = load<i32>(job + (<usize>dim << 2), 16);
    const next = <i32>(<u32>rest / <u32>size);
    offset += (rest - next * size) * load<i32>(own + (<usize>dim << 2), 8);
    rest = next;
  }
  const pointer = load<usize>(own) + (<usize>offset << 2);
  if (stride == 1) return pointer;
  if (stride == 0) {
    const splat = scratch + (<usize>operand << 4);
    v128.store(splat, v128.load32_splat(pointer));
    return splat;
  }
  return gathered(pointer, stride, count, scratch + 256 + (<usize>(operand * load<i32>(job, 8)) << 2));
}

function gathered(source: usize, stride: i32, count: i32, target: usize): usize {
  const step = <usize>stride << 2;
  for (let i = 0; i < count; i++) {
    store<i32>(target + (<usize>i << 2), load<i32>(source));
    source += step;
  }
  return target;
}
