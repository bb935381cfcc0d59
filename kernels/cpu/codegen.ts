export function generateAssembly(): Record<string, string> {
  return {};
}
