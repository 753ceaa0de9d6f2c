package dev.regen.agent.node;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;

/** What a manager answered that it does not do. */
public final class ManagerFailure extends IOException {
  private static final long serialVersionUID = 1;
  private static final int WORDS_MAX = 500;

  private final int status;

  private ManagerFailure(int status, String message) {
    super(message);
    this.status = status;
  }

  static ManagerFailure of(int status, byte[] body) {
    String detail = "";
    try {
      detail = JsonObject.parse(body).stringOrNull("detail");
    } catch (IOException e) {
      // Of somebody else who listens there.
    }
    String words = detail == null ? "" : detail.replaceAll("\\p{Cntrl}", " ");
    return new ManagerFailure(
        status,
        "it answered "
            + status
            + (words.isEmpty()
                ? ""
                : ": " + words.substring(0, Math.min(WORDS_MAX, words.length()))));
  }

  /** As HTTP has it. */
  public int status() {
    return status;
  }

  /** Whether the same would be answered to the same in a moment. */
  boolean lasting() {
    return status >= 400 && status < 500 && status != 408 && status != 429;
  }

  /** Whether it is about who asks, not about what. */
  boolean aboutWho() {
    return status == 401 || status == 403 || status == 404;
  }
}
