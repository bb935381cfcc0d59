export interface TapResult {
  passed: number;
  failures: string[];
  seconds: number;
}
export function runTap(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string | undefined>; timeoutSeconds: number },
): Promise<TapResult>;
export function parseTap(output: string): { passed: number; failures: string[]; planned: number | null };
