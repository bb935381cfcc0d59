// What every example shares: the flags --device, --seed and --out, the device that --device names, and a clean ending.
import { type Device, deviceKinds, manualSeed, openDevice } from "athanor";
import { DataFileError, MissingFileError } from "athanor/data";
import { choiceFlag, type FlagRecord, type FlagValues, folderFlag, parseFlagsWith, seedFlag, UsageError } from "../../programs/flags.js";
import type { Interruption } from "../../programs/interruption.js";
import { runProgram, say } from "../../programs/program.js";

export { choiceFlag, fileFlag, folderFlag, numberFlag, switchFlag, UsageError, wholeFlag } from "../../programs/flags.js";
export type { Interruption } from "../../programs/interruption.js";
export { packagedMnist } from "../../programs/packagedMnist.js";
export { say };

const devices = ["auto", ...deviceKinds()];
const common = {
  device: choiceFlag(devices, "auto"),
  seed: seedFlag(),
  out: folderFlag(null),
};

type Options<Flags extends FlagRecord> = FlagValues<Flags> & FlagValues<typeof common> & { readonly help: boolean };

export interface Example<Flags extends FlagRecord> {
  /** The file's name without its ending. */
  readonly name: string;
  /** What it does, in a line or two. */
  readonly about: string;
  /** One line a flag of its own, `  --epochs N      walks through the training images (3)`. */
  readonly flagHelp: string;
  readonly flags: Flags;
  /** The global seed is set and the device open; ask `interruption.requested` between two steps and return early when it is set. */
  run(options: Options<Flags>, context: { readonly device: Device; readonly out: string; readonly interruption: Interruption }): Promise<void>;
}

/** Runs an example as a command: `await example({ … })` is the last line of its file. Results go to --out, or runs/NAME. */
export async function example<Flags extends FlagRecord>(settings: Example<Flags>): Promise<void> {
  const { name, about, flagHelp, flags, run } = settings;
  await runProgram({
    help: `${about}

  npm run example -- ${name} [flags]

${flagHelp.replace(/^\n+|\n+$/g, "")}
  --device ${devices.join("|")}
                              where to compute; auto takes a hardware GPU, else the CPU (auto)
  --seed N                    the same seed on the same device gives the same bits (0)
  --out DIR                   where the results go (runs/${name})
  --help                      this text
`,
    parse: (args) => parseFlagsWith(args, flags, common),
    open: async (options) => {
      const device = await openDevice(options.device, { onChoice: say, simd: "measured" });
      manualSeed(options.seed);
      return device;
    },
    run: (options, device, interruption) => run(options, { device, interruption, out: options.out ?? `runs/${name}` }),
    isUsageError: (error) => error instanceof UsageError || error instanceof MissingFileError || error instanceof DataFileError,
  });
}
