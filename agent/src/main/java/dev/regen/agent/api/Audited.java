package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way, for the audit log: told of once, when its outcome is known. Reading is
 * told of where it needs more than the role view, as then it reads what is in snapshots.
 */
final class Audited {
  private final Audit audit;
  private final String remote;
  private @Nullable Principal who;
  private Routes.@Nullable Found found;
  private boolean told;

  /**
   * Begins.
   *
   * @param remote where it came from, "" for this host
   */
  Audited(Audit audit, String remote) {
    this.audit = audit;
    this.remote = remote;
  }

  void by(Principal principal) {
    who = principal;
  }

  void found(Routes.Found operation) {
    found = operation;
  }

  @Nullable String operation() {
    return found == null ? null : found.operation().id();
  }

  void answered(Answer answer) {
    Routes.Found what = found;
    if (what == null || !what.operation().changes()) {
      return;
    }
    if (answer instanceof Answer.Json json) {
      boolean begun = json.status() == 202;
      Object job = begun ? json.body().members().get("id") : null;
      tell(json.status(), job instanceof String id ? id : null);
    } else {
      tell(200, null);
    }
  }

  /** Who asks too often is not told of: that would push out what matters. */
  void failed(Failure failure) {
    boolean refused =
        failure.code() == Failure.Code.FORBIDDEN || failure.code() == Failure.Code.UNAUTHORIZED;
    Routes.Found what = found;
    boolean changes = what != null && who != null && what.operation().changes();
    if (failure.code() != Failure.Code.TOO_MANY_REQUESTS && (refused || changes)) {
      tell(failure.code().status(), null);
    }
  }

  private void tell(int status, @Nullable String job) {
    if (told) {
      return;
    }
    told = true;
    Routes.Found what = found;
    audit.record(
        new Audit.Entry(
            who,
            what == null ? null : what.operation().id(),
            what == null ? Map.of() : what.parts(),
            status,
            job,
            remote));
  }
}
