import { BaseSequencer, type TestSpecification } from "vitest/node";

/** In their order. */
const longest = ["conformance", "beside/kill", "alone/chaos"].map((name) => `/test/${name}.test.ts`);

/** Starts the longest test files first: started last, on a fresh clone, they would run alone. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isNamed = (name: string) => (file: TestSpecification) => file.moduleId.endsWith(name);
    const first = longest.flatMap((name) => sorted.filter(isNamed(name)));
    return [...first, ...sorted.filter((file) => !first.includes(file))];
  }
}
