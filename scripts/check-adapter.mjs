// Prints the WebGPU adapter that the tests will use, or says what is missing and exits with 1.
const hint =
  "The tests hold every device to the same numbers, so they do not run without one. On Linux x64 the development dependency " +
  '@sparticuz/chromium brings a software adapter (SwiftShader): run "npm ci" and unset ATHANOR_TEST_ADAPTER. With ' +
  "ATHANOR_TEST_ADAPTER=system the machine needs a GPU with a Vulkan, Metal or D3D12 driver.";

async function describeAdapter() {
  const { create } = await import("webgpu").catch((error) => {
    throw new Error(`The npm package "webgpu" (Dawn for Node) cannot be loaded: ${error.message.split("\n")[0]}`);
  });
  const adapter = await create([]).requestAdapter();
  if (!adapter) {
    const drivers = process.env.VK_ICD_FILENAMES;
    throw new Error(`No WebGPU adapter: Dawn found no usable graphics driver${drivers ? ` (VK_ICD_FILENAMES is ${drivers})` : ""}.`);
  }
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].filter(Boolean).join(", ");
}

try {
  console.log(await describeAdapter());
  process.exit(0); // Dawn's instance would keep the process alive
} catch (error) {
  console.error(`${error.message}\n${hint}`);
  process.exit(1);
}
