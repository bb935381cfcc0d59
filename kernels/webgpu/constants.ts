// WebGPU's numeric flags. Browsers have them as globals (GPUBufferUsage …); Node has not, and this library adds nothing to globalThis.

export const bufferUsage = { mapRead: 0x1, copySource: 0x4, copyDestination: 0x8, uniform: 0x40, storage: 0x80 } as const;
export const mapModeRead = 0x1;
export const computeStage = 0x4;

/** Bytes of an element, whatever its dtype: a GPU cannot write single bytes without races. */
export const elementBytes = 4;
/** Invocations a workgroup for kernels without tiles: every adapter allows 256. */
export const workgroupSize = 256;
