export const root: string;
export function npm(): string[];
export function prepare(): void;
