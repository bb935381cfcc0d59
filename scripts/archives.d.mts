export function swiftshaderFolder(): Promise<string>;
export function chromiumFolder(): Promise<string>;
export function adapterEnvironment(environment?: Record<string, string | undefined>): Promise<Record<string, string | undefined>>;
