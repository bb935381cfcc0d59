// Event files that TensorBoard reads, with the calls of PyTorch's SummaryWriter.
export { SummaryWriter } from "./summaryWriter.js";
