/** Runs work while no other process (nor another caller in this one) runs work under the same lock. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;
