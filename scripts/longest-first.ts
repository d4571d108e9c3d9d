import { BaseSequencer, type TestSpecification } from "vitest/node";

const longest = "/test/conformance.test.ts";

/** Starts the longest test file first: started last, on a fresh clone, it would run alone. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith(longest);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}
