// Instances that are functions: `model(images)` works as it does in PyTorch, while instanceof, fields, getters and private members keep
// working. The constructor gives back a function whose prototype is the class's; field initialisers of subclasses then land on it.

/** What a call of the instance runs. */
export const invoke: unique symbol = Symbol("invoke");

export abstract class Callable {
  constructor() {
    // structuredClone quotes this line when it refuses a module.
    const call = (...inputs: unknown[]): unknown => self[invoke](inputs, "structuredClone cannot copy a module; write model.clone()");
    const self: this = Object.setPrototypeOf(call, new.target.prototype) as this;
    // A function's own name and length would hide members of these names in the class.
    Reflect.deleteProperty(call, "name");
    Reflect.deleteProperty(call, "length");
    return self;
  }
  abstract [invoke](inputs: readonly unknown[], note?: string): unknown;
}
