/** Number of the layout of programs and packed weights (libs/nn/kernel/assembly/program.ts): raised with every change of them. */
export const LAYOUT = 2;

/** A build of the kernel that reads programs of another layout than this code writes: it would read other weights, or memory that is not its own. */
export class StaleKernelError extends Error {
  readonly code = 'KERNEL_STALE';

  constructor(kernel: string) {
    super(
      `The ${kernel} was compiled from other sources than the code that calls it, and was not loaded. ` +
        "Run 'npm run build' in Tideline's folder.",
    );
    this.name = 'StaleKernelError';
  }
}

/** Throws StaleKernelError where `layout`, a build's own number, is not this code's; builds of before there was one have none. */
export function assertLayout(kernel: string, layout: unknown): void {
  if (layout !== LAYOUT) throw new StaleKernelError(kernel);
}
