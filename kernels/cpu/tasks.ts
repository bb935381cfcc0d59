// How much work one task of a job is.

/** Elements a task of an element-wise kernel covers; the same number as in assembly/strided.ts. */
export const elementsPerTask = 16384;
