export function swiftshaderFolder(): string;
export function chromiumFolder(): string;
export function adapterEnvironment(environment?: Record<string, string | undefined>): Record<string, string | undefined>;
