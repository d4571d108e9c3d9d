import { execFileSync } from "node:child_process";
import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { cpuMs } from "../../bench/cpu.ts";
import { commonWord, expected, mailAt, rareWord, traits } from "../../bench/mails.ts";
import { type Figures, middle, percentile } from "../../bench/measure.ts";
import { isSlower, ratioOf } from "../../bench/pairs.ts";
import { judge } from "../../bench/report.ts";

describe("the benchmark's own parts", () => {
  it("makes mails that match their traits", async () => {
    const ids = new Map<number, string>();
    for (let i = 0; i < 60; i++) {
      const mail = mailAt("tester", i);
      const parsed = await simpleParser(mail);
      const { rare, common, thread, place } = traits(i);
      expect([parsed.text?.includes(rareWord), parsed.text?.includes(commonWord)]).toEqual([rare, common]);
      if (place === 0) ids.set(thread, parsed.messageId as string);
      else expect([parsed.references].flat()[0]).toBe(ids.get(thread));
      expect(mailAt("tester", i).equals(mail)).toBe(true);
    }
  });

  it("knows the right answers", () => {
    expect(expected(50_000)).toMatchObject({ threads: 10_000, rare: 50, opened: 150 });
    const { rare, common, both, unread } = expected(2000);
    expect([rare, common > 550 && common < 650, both, unread > 450 && unread < 550]).toEqual([2, true, 1, true]);
  });

  it("counts the CPU of children that have ended", () => {
    const before = cpuMs([process.pid]);
    execFileSync(process.execPath, ["-e", "while (process.cpuUsage().user < 300_000);"]);
    const used = cpuMs([process.pid]) - before;
    expect(used).toBeGreaterThan(250);
    expect(cpuMs([1_000_000_000])).toBe(0);
  });

  it("calls new slower than old only when the pairs are conclusive", () => {
    const pairs = (ratios: number[]) => ratios.map((ratio, at) => ({ old: 1 + at, new: (1 + at) * ratio }));
    const steady = ratioOf(pairs([1.1, 1.11, 1.09, 1.1, 1.12, 1.1, 1.08]));
    expect([steady.median.toFixed(2), isSlower(steady, 1.05)]).toEqual(["1.10", true]);
    const noisy = ratioOf(pairs([1.4, 0.8, 1.2, 0.9, 1.3, 1.1, 0.95]));
    expect(noisy.low).toBeLessThan(1.05);
    expect([noisy.median.toFixed(2), isSlower(noisy, 1.05)]).toEqual(["1.10", false]);
  });

  it("takes medians and judges by them", () => {
    const round = (cpu: number) => ({ perSecond: 1, p50: 1, p95: 1, cpu, databaseCpu: cpu / 2, requests: 2 });
    const figures: Figures = middle([round(9), round(2), round(3)]);
    expect(figures).toMatchObject({ cpu: 3, databaseCpu: 1.5, requests: 6, rounds: 3 });
    expect(percentile([3, 1, 2], 0.95)).toBe(3);
    const row = { name: "x", title: "x", messages: 2, connections: 1, target: 2.5, mayGrow: false, figures };
    const small = { ...row, messages: 1, figures: { ...figures, cpu: 2 } };
    expect(judge(row, small)).toEqual({ growth: 1.5, missed: true, grew: true });
    expect(judge({ ...row, mayGrow: true }, small).grew).toBe(false);
    expect(judge(small, small).growth).toBeUndefined();
  });
});
