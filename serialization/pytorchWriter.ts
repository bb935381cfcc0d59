// Files that torch.load reads: any value of tensors, containers, numbers and texts, in torch.save's zip form.
import { storedZipParts } from "./zipWriter.js";
import { pickled, type StorageReference } from "./pickleWriter.js";
import type { RawTensor } from "../engine/raw.js";
import { snapshot } from "./snapshot.js";
import { sameShape } from "../engine/shape.js";
import type { Storage } from "../engine/storage.js";
import { type StoredForm, storedBytes, storedForm } from "./storedValues.js";
import { Tensor } from "../engine/tensor/tensor.js";

const storageNames: Readonly<Record<string, string>> = { F32: "FloatStorage", I32: "IntStorage", I64: "LongStorage", U8: "ByteStorage", BOOL: "BoolStorage" };

interface Written {
  readonly raw: RawTensor;
  readonly form: StoredForm;
  readonly reference: StorageReference;
}

/** The file of a value as it is now: what is read of tensors is asked for before this first waits. */
export async function pytorchParts(value: unknown): Promise<Uint8Array[]> {
  const kept: Record<string, Tensor> = {}, forms: StoredForm[] = [], byStorage = new Map<Storage, Written[]>();
  const pickle = pickled(value, (item, path) => {
    if (!(item instanceof Tensor)) return null;
    const { raw, shape } = item, form = storedForm(path, item.dtype), known = byStorage.get(raw.storage) ?? [];
    // Tied weights are two names of one memory, there as here.
    const same = known.find((other) => other.form.type === form.type && isSameView(other.raw, raw));
    if (same !== undefined) return same.reference;
    const key = String(forms.length);
    const reference = { key, storageType: storageNames[form.type] ?? "FloatStorage", shape, elements: item.numel() };
    kept[key] = item;
    forms.push(form);
    byStorage.set(raw.storage, [...known, { raw, form, reference }]);
    return reference;
  });
  const encoder = new TextEncoder(), tensors = await snapshot(kept);
  const storages = tensors.map(({ values }, i) => ({ name: `archive/data/${i}`, data: storedBytes(values, forms[i] ?? storedForm("", "float32")) }));
  return storedZipParts([
    { name: "archive/data.pkl", data: pickle }, { name: "archive/byteorder", data: encoder.encode("little") }, ...storages,
    { name: "archive/version", data: encoder.encode("3\n") },
  ]);
}

function isSameView(a: RawTensor, b: RawTensor): boolean {
  return a.offset === b.offset && a.dtype === b.dtype && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);
}
