// The worker of workerpool for an iteration that does nothing.
import workerpool from "workerpool";

workerpool.worker({ run: (item) => item });
