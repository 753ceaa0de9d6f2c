package dev.regen.agent.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** A table of text, its columns aligned; what may be long belongs into the last one. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... titles) {
    row(titles);
  }

  void row(String... cells) {
    List<String> printable = new ArrayList<>();
    for (String cell : cells) {
      printable.add(cell.replaceAll("\\p{Cntrl}", "?"));
    }
    rows.add(printable);
  }

  void print(PrintWriter out) {
    print(out, Integer.MAX_VALUE);
  }

  /** Cuts lines longer than {@code width}, a mark in their last place. */
  void print(PrintWriter out, int width) {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
      }
      String whole = line.toString().stripTrailing();
      out.println(whole.length() <= width ? whole : whole.substring(0, width - 1) + "…");
    }
  }
}
