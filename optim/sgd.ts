// SGD: gradient descent with momentum (Polyak 1964; Nesterov's variant as in Sutskever et al. 2013).
import { type Call, Signature } from "../engine/arguments.js";
import { aBoolean, aNumber } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { type CommonOptions, type GroupInput, implementationHints, Optimizer, type ParameterGroup, parametersOf, type UpdatePlan } from "./optimizer.js";

export interface SGDOptions extends CommonOptions {
  /** Default 0. */
  momentum: number;
  /** How much of the gradient the momentum leaves out. Default 0. */
  dampening: number;
  /** L2 penalty. Default 0. */
  weightDecay: number;
  /** Default false. */
  nesterov: boolean;
}

const tail = [["momentum", aNumber, 0], ["dampening", aNumber, 0], ["weightDecay", aNumber, 0], ["nesterov", aBoolean, false]] as const;
const byName = [["maximize", aBoolean, false], ...implementationHints] as const;
const params = ["params", parametersOf<SGDOptions>()] as const;
/** What types ask for … */
const asked = new Signature("optim.SGD", [params, ["lr", aNumber], ...tail], byName);
/** … and what is read: groups that all have rates of their own need none beside them. */
const signature = new Signature("optim.SGD", [params, ["lr", aNumber, NaN], ...tail], byName);
type GroupWithRate = GroupInput<SGDOptions> & { readonly lr: number };

export class SGD extends Optimizer<SGDOptions> {
  constructor(...given: Call<typeof asked> | [groups: Iterable<GroupWithRate>, options?: Partial<SGDOptions>]) {
    const [parameters, lr, momentum, dampening, weightDecay, nesterov, maximize] = signature.read(given, `optim.${new.target.name}`);
    super(parameters, { lr, momentum, dampening, weightDecay, nesterov, maximize });
  }
  protected check(group: ParameterGroup<SGDOptions>): void {
    if (Number.isNaN(group.lr)) {
      throw argumentError("optim.SGD", "got no lr; expected a learning rate, for which SGD has no default: new optim.SGD(params, { lr: 0.1 }).");
    }
    this.refuseNegative(group, "lr", "momentum", "weightDecay");
    this.refuse(!Number.isFinite(group.dampening), "dampening", group.dampening, "a finite number");
    this.refuse(group.nesterov && (group.momentum <= 0 || group.dampening !== 0), "nesterov", true, "a momentum above 0 and no dampening with it");
  }
  protected plan(group: ParameterGroup<SGDOptions>, step: number): UpdatePlan {
    const { lr, momentum, dampening, weightDecay, nesterov } = group;
    if (momentum === 0) return { row: "sgd", states: [], scalars: [lr, weightDecay] };
    // The first step copies the gradient into the buffer, undamped.
    const [keep, take] = step === 1 ? [0, 1] : [momentum, 1 - dampening];
    const [gradientShare, bufferShare] = nesterov ? [1, momentum] : [0, 1];
    return { row: "sgdMomentum", states: ["momentum_buffer"], scalars: [lr, weightDecay, keep, take, gradientShare, bufferShare] };
  }
}
