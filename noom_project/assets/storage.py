"""Static files under names that carry a hash of their content, imports inside modules too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Without import aggregation a module that changed would import its old neighbours."""

    support_js_module_import_aggregation = True
