package dev.regen.e2e;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Starts a {@link Host} when a test first needs it and closes it after the last one. The logs of a
 * test that failed are then under {@code agent/target/engine-logs/CLASS/TEST/}.
 */
final class HostExtension implements ExecutionCondition, ParameterResolver, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(HostExtension.class);
  private static final int NAME_MAX_CHARACTERS = 100;

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    String type = settings(context).fileSystem();
    try {
      return !type.isEmpty()
              && !Files.readString(Path.of("/proc/filesystems")).contains("\t" + type + "\n")
          ? ConditionEvaluationResult.disabled("this kernel has no " + type)
          : ConditionEvaluationResult.enabled("the host can be started");
    } catch (IOException e) {
      return ConditionEvaluationResult.enabled("the kernel does not say");
    }
  }

  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Host.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return store(context).getOrComputeIfAbsent(Host.class, any -> startedFor(context), Host.class);
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    Host host = store(context).get(Host.class, Host.class);
    if (host != null && context.getExecutionException().isPresent()) {
      Path logs =
          Host.repository()
              .resolve("agent/target/engine-logs")
              .resolve(context.getRequiredTestClass().getSimpleName())
              .resolve(nameOf(context));
      host.saveLogs(logs);
      context.publishReportEntry("logs", logs.toString());
    }
  }

  private static Host startedFor(ExtensionContext context) {
    try {
      EngineTest settings = settings(context);
      return Host.start(place(context), settings.storageDriver(), settings.fileSystem());
    } catch (IOException | ReflectiveOperationException e) {
      throw new ParameterResolutionException("no engine for " + context.getDisplayName(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ParameterResolutionException("interrupted", e);
    }
  }

  private static Place place(ExtensionContext context) throws ReflectiveOperationException {
    return settings(context).value().getDeclaredConstructor().newInstance();
  }

  private static EngineTest settings(ExtensionContext context) {
    return context.getRequiredTestClass().getAnnotation(EngineTest.class);
  }

  /** The store of what the host is for, which closes it at the end of that. */
  private static Store store(ExtensionContext test) {
    ExtensionContext owner = test;
    boolean hostPerTest = settings(test).hostPerTest();
    while (!hostPerTest && owner.getTestMethod().isPresent()) {
      owner = owner.getParent().orElseThrow();
    }
    return owner.getStore(NAMESPACE);
  }

  private static String nameOf(ExtensionContext test) {
    String method = test.getTestMethod().map(Method::getName).orElse("class");
    // Only an invocation of a parameterized test is displayed otherwise than by its name.
    String name =
        Optional.of(test.getDisplayName())
            .filter(shown -> !shown.startsWith(method))
            .map(shown -> method + "-" + shown.replaceAll("[^A-Za-z0-9]+", "-"))
            .orElse(method);
    return name.substring(0, Math.min(NAME_MAX_CHARACTERS, name.length()));
  }
}
